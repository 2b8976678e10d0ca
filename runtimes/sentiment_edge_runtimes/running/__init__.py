"""A model that runs in this process: its life and its answers."""
