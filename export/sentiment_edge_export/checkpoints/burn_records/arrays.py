"""Arrays from the contents of a record, which Burn writes in row-major and little-endian order."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_edge_export.errors import shown

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
"""numpy's types by Burn's names (burn_tensor::DType)."""
_STORED_BOOLS = {"Native": "U8", "U8": "U8", "U32": "U32"}
_MOST_AXES = 16
_LARGEST = 2**63


class MalformedRecord(ValueError):
    """A record that is damaged or has unknown contents; the message follows the file's path."""


def to_array(name: str, dtype: object, shape: object, data: bytes | bytearray | memoryview) -> NDArray[Any]:
    """Return an array over a tensor's bytes; bfloat16, which numpy lacks, becomes float32.

    Raises:
        MalformedRecord: the type is unknown, or the number of bytes does not fit type and shape.
    """
    kind = _kind(name, dtype)
    sizes = _checked_shape(name, shape)
    stored = np.dtype(_DTYPES[kind])
    if prod(sizes) * stored.itemsize != len(data):
        raise MalformedRecord(f"{shown(name)} has {len(data)} bytes, which {list(sizes)} of type {kind} are not")
    values = np.frombuffer(data, stored)
    if kind == "BF16":
        values = bfloat16_to_float32(values)
    return values.reshape(sizes)


def bfloat16_to_float32(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Widen bfloat16, which is the upper half of a float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _kind(name: str, dtype: object) -> str:
    """Return the type's name; a type with a parameter is a map with one entry."""
    if isinstance(dtype, dict) and len(dtype) == 1:
        ((kind, parameter),) = dtype.items()
        if kind == "Bool" and isinstance(parameter, str) and parameter in _STORED_BOOLS:
            return _STORED_BOOLS[parameter]
        if kind == "QFloat":
            raise MalformedRecord(f"{shown(name)} is quantized by Burn; save the record before quantization")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise MalformedRecord(f"{shown(name)} is of an unknown type, {dtype!r:.60}")
    return dtype


def _checked_shape(name: str, shape: object) -> tuple[int, ...]:
    valid = isinstance(shape, list) and len(shape) <= _MOST_AXES
    if not isinstance(shape, list) or not valid or not all(type(size) is int and 0 <= size < _LARGEST for size in shape):
        raise MalformedRecord(f"{shown(name)} has no valid shape, {shape!r:.60}")
    return tuple(shape)


def values_to_array(name: str, float_kind: object, shape: object, values: list[Any]) -> NDArray[Any]:
    """Return a tensor that Burn before 0.14 wrote as a list of numbers; half precision is written as integers of its bits.

    Raises:
        MalformedRecord: the list does not hold numbers, or their number does not fit the shape.
    """
    sizes = _checked_shape(name, shape)
    if prod(sizes) != len(values):
        raise MalformedRecord(f"{shown(name)} has {len(values)} numbers, which {list(sizes)} are not")
    try:
        if str(float_kind).startswith("half::") and all(type(value) is int and value >= 0 for value in values):
            bits = np.array(values, np.uint16)
            array: NDArray[Any] = bfloat16_to_float32(bits) if str(float_kind).endswith("bf16") else bits.view(np.float16)
        elif all(type(value) is int for value in values):
            array = np.array(values, np.int64)
        else:
            array = np.array(values, np.float64 if float_kind == "f64" else np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise MalformedRecord(f"{shown(name)} does not hold plain numbers") from error
    return array.reshape(sizes)
