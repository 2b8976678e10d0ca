"""Readers with a fault each, for the harness of hostile inputs to find."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import InputError
from tools.hostile.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

FAULTY = 3
"""The number of the input that a fault shows at."""


def _make(random: Random, folder: Path) -> None:
    """Write the input's number, found by the count of inputs before it, and a random number."""
    counted = folder.parent / "count"
    number = int(counted.read_text("ascii")) if counted.exists() else 0
    counted.write_text(str(number + 1), "ascii")
    (folder / "input").write_text(f"{number} {random.random()}", "ascii")


def _reader(fail: Callable[[], object]) -> Reader:
    def read(folder: Path) -> None:
        if (folder / "input").read_text("ascii").startswith(f"{FAULTY} "):
            fail()

    return Reader(_make, read)


def _refuse(message: str) -> None:
    raise InputError(message)


def _spin() -> None:
    while True:
        pass


def _panic() -> None:
    class PanicException(BaseException):
        pass

    raise PanicException("a library panicked")


def _die() -> None:
    sys.stderr.write("last words\n")
    sys.stderr.flush()
    os.abort()


READERS = {
    "sound": _reader(lambda: None),
    "refuses": _reader(lambda: _refuse("in one line")),
    "raises": _reader(lambda: os.environ[""]),
    "raises no Exception": _reader(_panic),
    "says two lines": _reader(lambda: _refuse("one\ntwo")),
    "says a page": _reader(lambda: _refuse("x" * 5000)),
    "says half a pair": _reader(lambda: _refuse("\ud800")),
    "takes memory": _reader(lambda: bytearray(8 * 2**30)),
    "dies": _reader(_die),
    "exits": _reader(lambda: os._exit(7)),
    "spins": _reader(_spin),
}
