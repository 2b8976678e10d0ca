"""Writing a bundle: its files, its model card and its place on disk."""
