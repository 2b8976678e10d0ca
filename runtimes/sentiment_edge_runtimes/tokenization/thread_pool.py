"""The threads on which the tokenizers library reads several texts at once: one pool for the process, whose size stays.

The library leaves its pool to Rayon, which reads the size from `RAYON_NUM_THREADS` when the pool is first used, takes every CPU
by default, and never changes it.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.machine.panics import panics_raised
from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_VARIABLE = "RAYON_NUM_THREADS"
_lock = Lock()
_sizes: dict[int, int] = {}
"""The size by process: a forked one begins without the pool's threads."""


def start_pool(tokenizer: Tokenizer, threads: int) -> int:
    """Return the number of threads in this process's pool, which is started with so many at most if there is none.

    Who sets `RAYON_NUM_THREADS` has chosen the size; of one thread no pool is started.
    """
    with _lock:
        if (size := _sizes.get(os.getpid())) is not None:
            return size
        wanted = min(threads, usable_cpus())
        if wanted == 1 or _VARIABLE in os.environ:
            return _chosen(wanted)
        os.environ[_VARIABLE] = str(wanted)
        try:
            with panics_raised():
                tokenizer.encode_batch_fast(["", ""])
        finally:
            del os.environ[_VARIABLE]
        _sizes[os.getpid()] = wanted
        return wanted


def _chosen(otherwise: int) -> int:
    """Return the size that the environment names; 0 there, or what is no number, means every CPU."""
    if _VARIABLE not in os.environ:
        return otherwise
    try:
        return max(0, int(os.environ[_VARIABLE])) or usable_cpus()
    except ValueError:
        return usable_cpus()
