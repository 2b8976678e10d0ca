"""Prove that bundles run in other languages: `make ports`."""
