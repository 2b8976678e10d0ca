"""Texts of files and of live sources, labelled: read, answered and written a part at a time."""
