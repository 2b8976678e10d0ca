"""Shared parts of views: pages that need no script and no other file, plots as inline SVG, aligned text."""
