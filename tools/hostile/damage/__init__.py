"""Damage to files, from single bits to what a sound frame holds. All of it follows from a `Random`."""
