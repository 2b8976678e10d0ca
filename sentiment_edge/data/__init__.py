"""Readers of users' files: lines, tables, labelled texts, predictions."""
