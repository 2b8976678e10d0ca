"""Lines that a library in Rust writes to stderr when it panics, kept off it: the command has a line of its own for that."""

from __future__ import annotations

import faulthandler
import io
import os
import sys
from contextlib import contextmanager
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, BinaryIO

from sentiment_edge_runtimes.machine.panics import surround_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR = 2
"""The file descriptor that native code writes to."""
_PANIC = b" panicked at "
_lock = RLock()


@contextmanager
def panics_hidden() -> Iterator[None]:
    """Keep off stderr what Rust writes in a call that panics; all else reaches it, Python's own without delay.

    Python's stderr gets a descriptor of its own. During a call that may panic the common one leads to a file, which is passed
    on after the call, unless it tells of a panic. A crash within the call is told by the interpreter instead.
    """
    theirs = sys.stderr
    file = _open_file() if isinstance(theirs, io.TextIOWrapper) and _leads_to_stderr(theirs) else None
    if file is None:
        yield
        return
    with file as aside:
        terminal = os.dup(_STDERR)
        sys.stderr = ours = os.fdopen(
            terminal, "w", buffering=1, encoding=theirs.encoding, errors=theirs.errors, closefd=False
        )  # stays open: a log that was set up meanwhile may hold it
        crashes_told = faulthandler.is_enabled()
        if not crashes_told:
            faulthandler.enable(ours)
        surround_calls(partial(_set_aside, aside, terminal))
        try:
            yield
        finally:
            surround_calls()
            if not crashes_told:
                faulthandler.disable()
            ours.flush()
            sys.stderr = theirs


def _leads_to_stderr(stream: io.TextIOWrapper) -> bool:
    try:
        return stream.fileno() == _STDERR
    except (OSError, ValueError):  # it is closed, or no file
        return False


def _open_file() -> BinaryIO | None:
    """Open a file in memory, or a temporary one; None where there is no room for it."""
    try:
        if sys.platform == "linux":
            return os.fdopen(os.memfd_create("stderr"), "r+b", buffering=0)
        import tempfile

        return tempfile.TemporaryFile(buffering=0)
    except OSError:
        return None


@contextmanager
def _set_aside(aside: BinaryIO, terminal: int) -> Iterator[None]:
    """Let the common stderr lead to a file meanwhile; one call at a time, so that each knows its own lines."""
    with _lock:
        os.dup2(aside.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(terminal, _STDERR)
            if size := aside.seek(0, os.SEEK_END):
                aside.seek(0)
                written = aside.read(size)
                aside.seek(0)
                aside.truncate()
                if _PANIC not in written:
                    os.write(terminal, written)
