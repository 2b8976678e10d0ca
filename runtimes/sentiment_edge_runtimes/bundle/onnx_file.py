"""The files that an ONNX file refers to: tensors whose data lie outside it, each at a `location` relative to its folder.

The file is a protobuf message. Only what can hold a tensor is walked, at any depth; all else is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_MARK = b"location"
_CHUNK = 2**16
_MOST_FIELDS = 2**23
"""Fields that are walked at most: many times those of the largest graph, and some seconds of work."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TAG = 2**32 - 1
"""Bits of a tag: protobuf drops higher ones."""
_LONGEST_VARINT = 70
"""Bits of ten bytes, seven in each."""

_GRAPH, _NODE, _ATTRIBUTE, _SPARSE, _TENSOR, _ENTRY, _FUNCTION, _TRAINING = range(1, 9)
_INSIDE = {
    0: {7: _GRAPH, 20: _TRAINING, 25: _FUNCTION},
    _TRAINING: {1: _GRAPH, 2: _GRAPH},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {13: _ENTRY},
}
"""For each kind of message, the messages in it by field number, as far as they can lead to external data."""
_KEY, _VALUE = 1, 2


def external_locations(file: BinaryIO) -> set[str]:
    """Return the locations of all external data of an ONNX file.

    Raises:
        ValueError: the file is malformed.
    """
    if not _holds_mark(file):  # quick, and true of every model that fits into one file
        return set()
    file.seek(0)
    data = file.read()
    return {location.decode("utf-8", "backslashreplace") for location in _locations(data)}


def _holds_mark(file: BinaryIO) -> bool:
    """Tell whether the key of a location occurs; its bytes stand in the file as they are."""
    end = b""
    while chunk := file.read(_CHUNK):
        if _MARK in chunk or _MARK in end + chunk[: len(_MARK)]:
            return True
        end = chunk[1 - len(_MARK) :]
    return False


def _locations(data: bytes) -> Iterator[bytes]:
    pending = [(0, 0, len(data))]
    fields = 0
    while pending:
        kind, start, end = pending.pop()
        if kind == _ENTRY:
            entry = [(number, data[at:stop]) for number, at, stop in _messages(data, start, end)]
            if (_KEY, _MARK) in entry:
                yield from [value for number, value in entry if number == _VALUE] or [b""]
            continue
        for number, at, stop in _messages(data, start, end):
            fields += 1
            if number in _INSIDE[kind]:
                pending.append((_INSIDE[kind][number], at, stop))
        if fields > _MOST_FIELDS:
            raise ValueError("too many fields")


def _messages(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each field of a message that holds bytes, with their start and end."""
    while start < end:
        tag, start = _varint(data, start)
        number, wire = (tag & _TAG) >> 3, tag & 7
        length = 0
        if wire == _VARINT:
            _, start = _varint(data, start)
        elif wire == _BYTES:
            length, start = _varint(data, start)
        elif wire in {_FIXED64, _FIXED32}:
            start += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if start + length > end:
            raise ValueError("cut short")
        if wire == _BYTES:
            yield number, start, start + length
        start += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of variable length, and the position after it."""
    value = shift = 0
    while shift < _LONGEST_VARINT and position < len(data):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that another byte follows
            return value, position
    raise ValueError("malformed number")
