"""All readers: the inputs that each is given, and its use as in a program of a user."""
