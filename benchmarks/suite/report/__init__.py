"""Results as a file, as a table, as a picture; and beside earlier ones."""
