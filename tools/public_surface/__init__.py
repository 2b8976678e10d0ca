"""Collects everything public, so that a change of it is a decision: `python -m tools.public_surface --write`."""
