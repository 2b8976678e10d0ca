"""The ways to run a model: one module for each, with heavy imports inside its functions."""
