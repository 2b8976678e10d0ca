"""Evaluation of bundles on labelled data, and of predictions from a file."""
