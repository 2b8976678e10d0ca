"""int8: what it is fitted to, what becomes of each weight, which weights suffer most."""
