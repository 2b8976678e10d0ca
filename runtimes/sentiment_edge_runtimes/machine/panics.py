"""Panics of libraries that are written in Rust: no `Exception`, and written to stderr before Python hears of them."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_TYPE = "PanicException"
"""The name that PyO3 gives to the exception; it derives from BaseException and cannot be imported."""
_surroundings: list[Callable[[], AbstractContextManager[object]]] = [nullcontext]


class LibraryPanic(Exception):
    """A library in Rust panicked; the message is the first line of its own."""


def surround_calls(manager: Callable[[], AbstractContextManager[object]] | None = None) -> None:
    """Let a program run a context manager around each call that may panic; without one, none is run.

    A library cannot stop Rust from writing to the process's stderr, and must not redirect it; a program may.
    """
    _surroundings[:] = [manager or nullcontext]


@contextmanager
def panics_raised() -> Iterator[None]:
    """Turn a panic in the block into an Exception; everything else passes, such as an interrupt.

    Raises:
        LibraryPanic: a library panicked.
    """
    try:
        with _surroundings[0]():
            yield
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ != _TYPE:
            raise
        raise LibraryPanic(first_line(error)) from error
