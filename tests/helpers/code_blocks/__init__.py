"""The code blocks of the documentation: found, run as a reader runs them, and compared with what the pages show."""
