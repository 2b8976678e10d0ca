"""What a machine has for running bundles, and what it makes of one."""
