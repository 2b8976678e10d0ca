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
    process = os.getpid()
    with _lock:
        if process not in _sizes:
            chosen = os.environ.get(_VARIABLE)
            _sizes[process] = _start(tokenizer, min(threads, usable_cpus())) if chosen is None else _size_of(chosen)
        return _sizes[process]


def _start(tokenizer: Tokenizer, size: int) -> int:
    if size > 1:
        os.environ[_VARIABLE] = str(size)
        try:
            with panics_raised():
                tokenizer.encode_batch_fast(["", ""])
        finally:
            del os.environ[_VARIABLE]
    return size


def _size_of(chosen: str) -> int:
    """Return the size that the environment names; 0 there, or what is no number, means every CPU."""
    try:
        return max(0, int(chosen)) or usable_cpus()
    except ValueError:
        return usable_cpus()
