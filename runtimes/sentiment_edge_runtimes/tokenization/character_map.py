"""SentencePiece's precompiled map of characters, as tokenizer.json holds it: the library follows it without a check.

After four bytes that give the trie's size comes the trie, a double array of 32-bit units in Darts' layout, and then the
replacements, each ended by a zero byte. A unit holds the label of the edge that leads to it, the offset of its children, and
whether one of them is a leaf; a leaf holds the place of a replacement.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIZE = 4
"""Bytes of the header, and of a unit."""
_LONGEST_KEY = 256
"""Bytes of a sequence of characters that is replaced; the usual maps have 18."""
_LABEL, _VALUE = np.uint32(0x800000FF), np.uint32(0x7FFFFFFF)


def check_character_map(encoded: object) -> int:
    """Check a map in base64, and return the length of its longest replacement.

    Raises:
        ValueError: it is damaged: the library would panic, at once or at some text, or ask for more memory than there is.
    """
    units, replacements = _read(encoded)
    values = _values(units)
    if values.size and int(values.max()) > len(replacements):
        raise ValueError("it refers to a replacement that is not there")
    starts = np.frombuffer(replacements + b"\0", np.uint8)[values]
    if ((starts & 0xC0) == 0x80).any():  # noqa: PLR2004 - UTF-8's mark of a byte within a character
        raise ValueError("it refers to the middle of a character")
    return max(map(len, replacements.decode().split("\0")))


def _read(encoded: object) -> tuple[NDArray[np.uint32], bytes]:
    """Return the trie's units, and the replacements."""
    try:
        data = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
    except (binascii.Error, ValueError) as error:
        raise ValueError("it is not base64") from error
    size = int.from_bytes(data[:_SIZE], "little")
    if len(data) < 2 * _SIZE or not size or size % _SIZE or size > len(data) - _SIZE:
        raise ValueError(f"it claims a trie of {size} bytes and has {max(0, len(data) - _SIZE)}")
    replacements = data[_SIZE + size :]
    try:
        replacements.decode()
    except UnicodeDecodeError as error:
        raise ValueError("its replacements are not UTF-8") from error
    return np.frombuffer(data, np.dtype("<u4"), size // _SIZE, _SIZE).astype(np.uint32), replacements


def _values(units: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the values of all leaves that some text leads to, every step on the way checked."""
    places = np.arange(units.size)
    offsets = ((units >> 10) << ((units & 512) >> 6)).astype(np.int64)
    children = places ^ offsets
    """Where a unit's children begin: the child by a byte is at this place, combined with the byte by exclusive or."""
    labels = (units & _LABEL).astype(np.int64)
    edges = np.flatnonzero((labels > 0) & (labels < 256))  # noqa: PLR2004
    parents = edges ^ labels[edges]
    edges, parents = edges[parents < units.size], parents[parents < units.size]
    reached, starts = np.zeros(units.size, bool), np.zeros(units.size, bool)
    found = [np.zeros(0, np.int64)]
    new = np.zeros(1, np.int64)
    for _ in range(_LONGEST_KEY):
        begins = children[new]
        if int((begins | 255).max()) >= units.size:
            raise ValueError("its trie leads out of itself")
        found.append(begins[(units[new] >> 8 & 1) == 1])
        starts[begins] = True
        reached[new] = True
        new = edges[starts[parents] & ~reached[edges]]
        if not new.size:
            return (units[np.concatenate(found)] & _VALUE).astype(np.int64)
    raise ValueError(f"its trie is more than {_LONGEST_KEY} bytes deep")
