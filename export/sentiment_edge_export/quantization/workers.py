"""Work in torch on several matrices at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import torch

from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_MOST = 4
"""Each holds several copies of a matrix."""


def each_on_one_thread(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Return the results of all items in their order, several computed at once, each with one thread of torch's.

    Sharing every step of a long computation between threads takes longer than the steps, and makes results depend on the
    number of threads.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # threads that start from here on take it over
    try:
        with ThreadPoolExecutor(min(_MOST, usable_cpus())) as pool:
            return list(pool.map(work, items))
    finally:
        torch.set_num_threads(threads)
