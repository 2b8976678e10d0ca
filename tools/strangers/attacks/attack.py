"""One attack: its name, its tries, and the answers that a server may give."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tools.strangers.wire import Address

MANY = 256 * 2**20
"""Bytes after which what is called endless ends all the same."""


@dataclass(frozen=True)
class Attack:
    """Something that a hostile client does."""

    name: str
    make: Callable[[Address], Iterable[object]]
    """Make the tries; each is told by its answers."""
    allowed: str
    """Answers of one try, in words with commas between, that break nothing."""
    crowded: bool = False
    """Whether it keeps every connection busy, so that others may be told to come back."""

    def run(self, address: Address) -> Counter[str]:
        """Make the tries and count their answers."""
        return Counter(map(str, self.make(address)))

    def unwanted(self, answers: Counter[str]) -> list[str]:
        """Return the answers that may not be."""
        return sorted(answers.keys() - {*self.allowed.split(", ")})


def endless(first: bytes, piece: bytes) -> Iterator[bytes]:
    """Yield the beginning, then the same piece for a very long time."""
    return chain([first], repeat(piece, MANY // len(piece)))


def slowly(data: bytes, seconds: float = 1) -> Iterator[bytes]:
    """Yield a byte at a time, with a rest after each."""
    for place in range(len(data)):
        yield data[place : place + 1]
        time.sleep(seconds)
