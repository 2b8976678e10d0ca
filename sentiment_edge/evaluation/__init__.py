"""Evaluation: labelled data and stored predictions, a bundle's run over them, the outcome as a page."""
