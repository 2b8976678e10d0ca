"""Attacks on the server, each a function that makes its tries and returns their answers."""
