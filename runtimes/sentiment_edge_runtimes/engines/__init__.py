"""What executes a bundle: one module for each engine, and the choice between them."""
