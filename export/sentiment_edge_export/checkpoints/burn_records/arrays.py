"""Numbers from the bytes of a record, which Burn writes row by row and in little-endian order."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "Flex32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "Bool": "u1",
}
"""By Burn's names of its types (burn_tensor::DType)."""
_STORED_BOOLS = {"Native": "U8", "U8": "U8", "U32": "U32"}


_MOST_AXES = 16
_LARGEST = 2**63
_LONGEST_NAME = 200


class Malformed(ValueError):
    """What is wrong with a record, to be said after its path."""


def to_array(name: str, dtype: object, shape: object, data: bytes | bytearray | memoryview) -> NDArray[Any]:
    """Return a view of a tensor's bytes; bfloat16, which numpy lacks, as float32.

    Raises:
        Malformed: the type is unknown, or the bytes are not as many as type and shape need.
    """
    kind = _kind(name, dtype)
    sizes = _checked_shape(name, shape)
    stored = np.dtype(_DTYPES[kind])
    if prod(sizes) * stored.itemsize != len(data):
        raise Malformed(f"{shown(name)} has {len(data)} bytes, which {list(sizes)} of type {kind} are not")
    values = np.frombuffer(data, stored)
    if kind == "BF16":
        values = bfloat16_to_float32(values)
    return values.reshape(sizes)


def bfloat16_to_float32(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Widen bfloat16, which is the upper half of a float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _kind(name: str, dtype: object) -> str:
    """Return the type's name; those with parameters are maps with one entry."""
    if isinstance(dtype, dict) and len(dtype) == 1:
        ((kind, parameter),) = dtype.items()
        if kind == "Bool" and isinstance(parameter, str) and parameter in _STORED_BOOLS:
            return _STORED_BOOLS[parameter]
        if kind == "QFloat":
            raise Malformed(f"{shown(name)} is quantized by Burn; save the record before quantizing")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise Malformed(f"{shown(name)} is of an unknown type, {dtype!r:.60}")
    return dtype


def _checked_shape(name: str, shape: object) -> tuple[int, ...]:
    valid = isinstance(shape, list) and len(shape) <= _MOST_AXES
    if not isinstance(shape, list) or not valid or not all(type(size) is int and 0 <= size < _LARGEST for size in shape):
        raise Malformed(f"{shown(name)} has no valid shape, {shape!r:.60}")
    return tuple(shape)


def shown(name: object) -> str:
    """Return a tensor's name as a message may hold it: on one line, and no longer than names are."""
    return name if isinstance(name, str) and name.isprintable() and len(name) <= _LONGEST_NAME else f"{name!r:.60}"


def values_to_array(name: str, float_kind: object, shape: object, values: list[Any]) -> NDArray[Any]:
    """Return a tensor that Burn before 0.14 wrote as a list of numbers; those in half precision are the bits as integers.

    Raises:
        Malformed: the list does not hold numbers, or not as many as the shape needs.
    """
    sizes = _checked_shape(name, shape)
    if prod(sizes) != len(values):
        raise Malformed(f"{shown(name)} has {len(values)} numbers, which {list(sizes)} are not")
    try:
        if str(float_kind).startswith("half::") and all(type(value) is int and value >= 0 for value in values):
            bits = np.array(values, np.uint16)
            array: NDArray[Any] = bfloat16_to_float32(bits) if str(float_kind).endswith("bf16") else bits.view(np.float16)
        elif all(type(value) is int for value in values):
            array = np.array(values, np.int64)
        else:
            array = np.array(values, np.float64 if float_kind == "f64" else np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise Malformed(f"{shown(name)} does not hold plain numbers") from error
    return array.reshape(sizes)
