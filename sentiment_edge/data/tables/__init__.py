"""Tables on disk or from stdin: opened, decoded, and read row by row in whatever format they have."""
