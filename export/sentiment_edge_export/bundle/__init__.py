"""Writing a bundle: its files, its model card, its place on disk."""
