"""Diagnosis of a machine: its means to run bundles, and the engine it would choose for one."""
