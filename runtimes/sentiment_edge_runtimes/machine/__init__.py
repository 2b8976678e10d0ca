"""The machine that this runs on: its CPU, its memory, the CPUs left to this process, and a cache that lasts between runs."""
