"""Labelled rows in each format of output."""
