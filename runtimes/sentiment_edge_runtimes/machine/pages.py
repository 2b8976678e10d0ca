"""Pages of this process's memory: given back where a file holds them too or nobody uses them, made large where a model lies.

All of it on Linux only.

A mapped file counts as memory of the process as far as it has been read. Whoever has copied what it needs can give it back at
any time: what is read again comes from the file, as the first time.

A batch of one short text reads all weights of a model for little work, so that finding the memory behind each 4 KiB takes a
good part of its time. With pages of 2 MiB, where Linux has them, that is gone. It makes them of what lies close together when
asked, from version 6.1 on (https://docs.kernel.org/admin-guide/mm/transhuge.html, MADV_COLLAPSE), which moves the memory: that
takes a while, so only a model that has run for some time is worth it.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
from bisect import bisect_left, bisect_right
from contextlib import suppress
from functools import cache
from mmap import PAGESIZE
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from sentiment_edge_runtimes.machine.control_groups import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from io import FileIO

_DONT_NEED, _COLLAPSE = 4, 25
"""https://man7.org/linux/man-pages/man2/madvise.2.html"""
_LARGE = 2**21
_FULL = 0.9
"""Share of a large page that must be in memory already: the rest of it will be too."""
_LEAST_SECONDS, _SECONDS_OF_A_BYTE = 0.5, 15e-9
"""The time that a model runs before its pages become large. Moving its memory takes a fifth of that; short texts then save a
tenth to a quarter of their time, so that it is worth it from about as much time again."""
_TIMES, _LEAST_BYTES = 4, 2**26
"""The most that counts as a model's own memory: times its weights, as batches need some too; or these bytes, if more."""
_SWITCH = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_FIELDS = 6
_ENTRY = 8
"""Bytes."""


class Region(NamedTuple):
    """A region of this process's memory."""

    start: int
    end: int
    access: str
    """Such as `rw-p`."""
    name: str
    """A file's path, or empty."""


class Settling:
    """Makes pages of this process's memory large, once, when a model has run long enough to be worth it."""

    def __init__(self, size: int) -> None:
        """Wait for the model to run. What is in memory now is not the model's, and stays as it is.

        Args:
            size: the bytes of its weights.
        """
        wanted = "[never]" not in (switch := read_text(_SWITCH)) and bool(switch)
        self._left = max(_LEAST_SECONDS, _SECONDS_OF_A_BYTE * size) if wanted else 0.0
        self._others = [*_regions()] if wanted else []
        self._most = max(_LEAST_BYTES, _TIMES * size)
        self._lock = Lock()

    def ran(self, seconds: float) -> None:
        """Hear that the model has run for so long; meanwhile it may be running on other threads."""
        if self._left <= 0:
            return
        with self._lock:
            before = self._left
            self._left -= seconds
            is_time = self._left <= 0 < before
        if is_time:
            others, self._others = self._others, []
            with suppress(RuntimeError):  # the interpreter ends, or the system has no more threads
                Thread(target=make_large, args=(others, self._most), name="sentiment-edge-pages", daemon=True).start()


def give_back(file: Path) -> None:
    """Give back all pages in which this process maps a file and which it cannot have written to.

    Nobody may unmap the file meanwhile: other memory could come to lie where it was, and would be lost.
    """
    name = os.path.realpath(file)
    for region in _regions():
        if region.name == name and "w" not in region.access:
            _advise(region.start, region.end, _DONT_NEED)


def give_back_freed() -> None:
    """Give back what the C library keeps of memory that was freed: a model that was opened, or closed, leaves megabytes of it.

    Only glibc keeps it and can be told: https://man7.org/linux/man-pages/man3/malloc_trim.3.html.
    """
    if function := _c_function("malloc_trim", ctypes.c_size_t):
        function(0)


def make_large(others: Sequence[Region] = (), most: float = math.inf) -> None:
    """Make large pages of memory that lies close together.

    Args:
        others: regions that are left as they are, in the order of their addresses.
        most: the most bytes to move: the program may have come by much other memory meanwhile.
    """
    starts, ends = [other.start for other in others], [other.end for other in others]
    with suppress(OSError), Path("/proc/self/pagemap").open("rb", buffering=0) as table:
        for region in _regions():
            if region.name in {"", "[heap]"} and region.access == "rw-p":
                for start in range(-(-region.start // _LARGE) * _LARGE, region.end - _LARGE + 1, _LARGE):
                    is_other = bisect_right(ends, start) < bisect_left(starts, start + _LARGE)
                    if most > 0 and not is_other and _present(table, start) >= _FULL:
                        _advise(start, start + _LARGE, _COLLAPSE)
                        most -= _LARGE


def _regions() -> Iterator[Region]:
    """Yield the regions in the order of their addresses; a line ends with a line feed only, whatever a file's name holds."""
    try:
        lines = Path("/proc/self/maps").read_bytes().split(b"\n")
    except OSError:  # another system
        return
    for line in filter(None, lines):
        addresses, access, *_, name = (line + b" ").split(b" ", maxsplit=_FIELDS - 1)
        start, end = (int(address, 16) for address in addresses.split(b"-"))
        yield Region(start, end, access.decode(), os.fsdecode(name.strip(b" ")))


def _present(table: FileIO, start: int) -> float:
    """Return the share of a large page's small ones that are in memory: https://docs.kernel.org/admin-guide/mm/pagemap.html."""
    count = _LARGE // PAGESIZE
    table.seek(start // PAGESIZE * _ENTRY)
    entries = np.frombuffer(table.read(count * _ENTRY), np.uint64)
    return np.count_nonzero(entries >> np.uint64(63)) / count


def _advise(start: int, end: int, advice: int) -> None:
    """Tell the system about a region. It need not heed it, and an older one does not know every advice."""
    if function := _c_function("madvise", ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int):
        function(start, end - start, advice)


@cache
def _c_function(name: str, *argument_types: type) -> Callable[..., int] | None:
    """Return a function of the C library; None where there is none of that name, or no library that can be opened."""
    if not sys.platform.startswith("linux"):
        return None
    with suppress(AttributeError, OSError):
        function = getattr(ctypes.CDLL(None), name)
        function.argtypes = argument_types
        function.restype = ctypes.c_int
        return cast("Callable[..., int]", function)
    return None
