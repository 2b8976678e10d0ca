"""Programs of other languages and libraries that ask the server: each prints a line of JSON for each answer."""
