"""Damaged and crafted inputs for every reader: each is read, or refused in one line."""
