"""Damage to bytes, whatever their format."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

_Kind = TypeVar("_Kind")

INTEGERS = (0, 1, -1, 127, 128, 255, 2**15, 2**16, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64)
NUMBERS = (*map(str, INTEGERS), "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-0.0", "0.5", "1e308", "9" * 5000)
"""Numbers as text, some of which no reader should take."""
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_LONGEST_CHUNK = 2000
_WIDTHS = ("B", "H", "I", "Q")


def pick(random: Random, weights: Mapping[_Kind, int]) -> _Kind:
    """Return one of several kinds, each as often as its weight says."""
    return random.choices([*weights], [*weights.values()])[0]


def flip_bits(random: Random, data: bytes) -> bytes:
    """Return the data with a few bits changed."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 8, 64))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def truncate(random: Random, data: bytes) -> bytes:
    """Return the data cut off at the end, or seldom at the start."""
    place = random.randrange(len(data))
    return pick(random, {data[:place]: 9, data[place:]: 1})


def insert(random: Random, data: bytes) -> bytes:
    """Return the data with bytes more."""
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice((random.randbytes(random.randrange(1, 40)), b"\0" * 16, b"\xff" * 16)) + data[place:]


def remove(random: Random, data: bytes) -> bytes:
    """Return the data without a part."""
    start, end = _chunk(random, data)
    return data[:start] + data[end:]


def repeat(random: Random, data: bytes) -> bytes:
    """Return the data with a part several times."""
    start, end = _chunk(random, data)
    return data[:start] + data[start:end] * random.choice((2, 3, 20)) + data[end:]


def exchange(random: Random, data: bytes) -> bytes:
    """Return the data with a part in the place of another."""
    start, end = _chunk(random, data)
    place = random.randrange(len(data))
    return data[:place] + data[start:end] + data[place + end - start :]


def blank(random: Random, data: bytes) -> bytes:
    """Return the data with a part of one value."""
    start, end = _chunk(random, data)
    return data[:start] + random.choice((b"\0", b"\xff", b" ", b"[")) * (end - start) + data[end:]


def put_integer(random: Random, data: bytes) -> bytes:
    """Return the data with an extreme integer in it, of one to eight bytes; more often near the start, where headers are."""
    width = random.choice(_WIDTHS)
    size = struct.calcsize(width)
    number = random.choice(INTEGERS) % 2 ** (8 * size)
    start = random.randrange(min(len(data), random.choice((32, 256, len(data)))))
    return data[:start] + struct.pack(random.choice("<>") + width, number) + data[start + size :]


def put_number(random: Random, data: bytes) -> bytes:
    """Return the data with an extreme number in the place of one that is written in digits."""
    found = list(_NUMBER.finditer(data[: 2**16]))
    if not found:
        return insert(random, data)
    place = random.choice(found)
    return data[: place.start()] + random.choice(NUMBERS).encode() + data[place.end() :]


def replace_all(random: Random, data: bytes) -> bytes:
    """Return something else than the data."""
    return random.choice((b"", b"\0", b"\n", b"\xff\xfe", random.randbytes(200), b"\0" * len(data), data[::-1]))


_USUAL: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(flip_bits, truncate, insert, remove, repeat, exchange, blank) * 4,
    *(put_integer, put_number) * 6,
    replace_all,
)


def damage_bytes(random: Random, data: bytes) -> bytes:
    """Return the data with one to three kinds of damage."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(_USUAL)(random, data) if data else random.randbytes(random.randrange(64))
    return data


def _chunk(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data))
    return start, min(len(data), start + random.randrange(1, random.choice((8, 100, _LONGEST_CHUNK))))
