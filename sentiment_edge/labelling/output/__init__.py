"""Where labelled rows go: stdout, or a file that gets its name when it is whole."""
