"""Bounds on the sizes of models and batches, which manifests keep to and the options of an export."""

SHORTEST, LONGEST = 3, 2**16
"""Bounds of `max_length`: room for one token between two special ones, and not enough to exhaust memory by a forged length."""
LARGEST_BATCH = 2**12
LARGEST_FIXED_BATCH = 2**22
"""Most tokens of a batch whose number of texts is fixed: `batch` times `max_length`."""
MAX_THREADS = 2**10
"""Most threads of an engine: each of them costs memory and time from the start, whether or not there is a CPU for it."""
