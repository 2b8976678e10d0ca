"""What the site of the documentation is built with, and how it is looked at."""
