"""Measures the structure of the code against the limits that the project holds to: `python -m tools.structure`."""
