"""Burnpack, the format of burn-store since Burn 0.19: a header, a CBOR description of the tensors, their data.

Little-endian: magic 0x4255524E (so the file starts with NRUB), a version in 16 bits, the size of the CBOR in 32. From Burn
0.20 on, tensors start at multiples of 256; before, right behind the CBOR. Both call themselves version 1: the file's size
tells them apart. Facts from the sources of burn-store (burnpack/base.rs).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import cbor2

from sentiment_edge_export.checkpoints.burn_records.arrays import MalformedRecord, to_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"NRUB"
_HEADER = struct.Struct("<4sHI")
_VERSION = 1
_ALIGNMENT = 256


def read_burnpack(data: bytes) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return the earliest version of Burn that writes such a file, and the tensors by name.

    Raises:
        MalformedRecord, ValueError: the file is damaged or of another version.
    """
    if len(data) < _HEADER.size:
        raise MalformedRecord("cut off in its header")
    _, version, size = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise MalformedRecord(f"a burnpack file of version {version}; this reads version {_VERSION}")
    described = _described(data, _HEADER.size + size)
    burn_version, start = _layout(data, _HEADER.size + size, max((end for *_, end in described.values()), default=0))
    body = memoryview(data)[start:]
    tensors = {name: to_array(name, dtype, shape, body[begin:end]) for name, (dtype, shape, begin, end) in described.items()}
    return burn_version, tensors


def _described(data: bytes, end: int) -> dict[str, tuple[object, object, int, int]]:
    """Return type, shape, begin and end of each tensor from the CBOR description."""
    if end > len(data):
        raise MalformedRecord("cut off in its description")
    contents = cbor2.loads(data[_HEADER.size : end])
    tensors = contents.get("tensors") if isinstance(contents, dict) else None
    if not isinstance(tensors, dict):
        raise MalformedRecord("its description lists no tensors")
    described = {}
    for name, tensor in tensors.items():
        offsets = tensor.get("data_offsets") if isinstance(tensor, dict) else None
        match offsets:
            case [int(begin), int(finish)] if 0 <= begin <= finish and isinstance(name, str):
                described[name] = tensor.get("dtype"), tensor.get("shape"), begin, finish
            case _:
                raise MalformedRecord(f"its description does not say where {name!r:.60} lies")
    return described


def _layout(data: bytes, end_of_description: int, size: int) -> tuple[str, int]:
    """Return the version of Burn and the offset of the tensors."""
    aligned = -(-end_of_description // _ALIGNMENT) * _ALIGNMENT
    for version, start in (("0.20", aligned), ("0.19", end_of_description)):
        if start + size == len(data):
            return version, start
    raise MalformedRecord(f"has {len(data)} bytes, its tensors end at {aligned + size}: cut off or damaged")
