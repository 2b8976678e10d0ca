"""Engines, which execute bundles: one module for each, and the choice between them."""
