"""The contents of a file of torch as its pickle describes them: storages, tensors, and objects that are not made."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import torch

_STORAGES = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "ComplexFloat": torch.complex64,
    "ComplexDouble": torch.complex128,
    "Untyped": torch.uint8,
    # Of quantized tensors, which are refused later, by name.
    "QInt8": torch.int8,
    "QUInt8": torch.uint8,
    "QInt32": torch.int32,
    "QUInt4x2": torch.uint8,
    "QUInt2x4": torch.uint8,
}
_DTYPES = {f"torch.{name}": value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
_STORAGE = re.compile(r"torch\.(?:cuda\.|storage\.)?(\w+)Storage")
_REBUILD = re.compile(r"torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2")
_TENSOR_CLASSES = ("torch.Tensor", "torch.nn.parameter.Parameter")
_HARMLESS = frozenset(
    {
        "builtins.bytearray",
        "builtins.complex",
        "builtins.set",
        "_codecs.encode",
        "collections.Counter",
        "collections.OrderedDict",
        "torch.Size",
        "torch.device",
        "torch.serialization._get_layout",
        "torch.per_tensor_affine",
        "torch.per_tensor_symmetric",
        "torch.per_channel_affine",
        "torch.per_channel_symmetric",
        "torch.per_channel_affine_float_qparams",
        *_TENSOR_CLASSES,
    }
)
"""The other names that `torch.load` accepts with `weights_only`."""
_MOST_DIMENSIONS = 16
_MOST = 2**62
"""A bound of every number that describes a tensor, so that torch can take it."""


class MalformedTorchFile(ValueError):
    """A file that is no file of torch, or a damaged one; its text is the reason."""


class MoreThanTensors(ValueError):
    """A pickle that needs a class or function which does not belong to tensors; its text is the name."""


class Named(NamedTuple):
    """A class or function that a pickle names; it is not looked up."""

    name: str


class Opaque(NamedTuple):
    """An object that a pickle would make by a call; it is not made."""

    maker: str

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor of a kind that is not read, such as a sparse one."""
        return self.maker in _TENSOR_CLASSES or _REBUILD.fullmatch(self.maker) is not None


class Storage(NamedTuple):
    """Numbers of one type in a file."""

    key: str
    dtype: torch.dtype
    numel: int
    start: int = 0
    """The first number of a part of a storage, in an old file."""

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return self.numel * self.dtype.itemsize


class StoredTensor(NamedTuple):
    """A tensor as a view of a storage."""

    storage: Storage
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The bytes that its shape needs."""
        return math.prod(self.shape) * self.dtype.itemsize

    def fits(self) -> bool:
        """Return whether the storage holds the tensor, with a number of its own for each of its elements."""
        available = self.storage.nbytes // self.dtype.itemsize
        if 0 in self.shape:
            return math.prod(size or 1 for size in self.shape) < _MOST
        start = self.storage.start + self.offset
        last = start + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        return last < available and math.prod(self.shape) <= available


def name_of(module: str, name: str) -> Named:
    """Return a class or function by its full name.

    Raises:
        MoreThanTensors: it does not belong to tensors.
    """
    full = f"{'builtins' if module == '__builtin__' else module}.{name}"  # Python 2 called it so
    if full in _HARMLESS or full in _DTYPES or _REBUILD.fullmatch(full) or _storage_dtype(full):
        return Named(full)
    raise MoreThanTensors(full)


def _storage_dtype(name: str) -> torch.dtype | None:
    found = _STORAGE.fullmatch(name)
    return _STORAGES.get(found[1]) if found else None


def make_storage(description: object) -> Storage:
    """Return the storage that a persistent id describes.

    Raises:
        MalformedTorchFile: it describes none.
    """
    match description:
        case ("storage", Named(name), str(key), str(), int(numel), *rest) if 0 <= numel < _MOST and len(rest) <= 1:
            dtype = _storage_dtype(name)
            if dtype is not None:
                return _part(Storage(key, dtype, numel), rest[0] if rest else None)
    raise MalformedTorchFile("a storage is described wrongly")


def _part(storage: Storage, view: object) -> Storage:
    match view:
        case None:
            return storage
        case (_, int(start), int(numel)) if start >= 0 <= numel and start + numel <= storage.numel:
            return storage._replace(start=start)
    raise MalformedTorchFile("a part of a storage is described wrongly")


def call(function: Named, arguments: tuple[object, ...]) -> Opaque | StoredTensor:
    """Return what a call stands for: a tensor if it is a plain one, else an object that is not made.

    Raises:
        MalformedTorchFile: the arguments describe no tensor.
    """
    match function.name.rpartition(".")[2], arguments:
        case "_rebuild_from_type_v2", (Named(name), Named(), tuple(inner), *_) if name != function.name:
            return call(Named(name), inner)
        case "_rebuild_parameter" | "_rebuild_parameter_with_state", (StoredTensor() | Opaque() as tensor, *_):
            return tensor
        case "_rebuild_tensor" | "_rebuild_tensor_v2", (Storage(dtype=dtype), _, _, _, *rest):
            return _tensor(function, arguments, dtype, marked=any(map(bool, rest[2:])))
        case "_rebuild_tensor_v3", (Storage(start=0), _, _, _, _, _, Named(dtype_name), *rest):
            return _tensor(function, arguments, _DTYPES.get(dtype_name), marked=any(map(bool, rest)))
    return Opaque(function.name)


def _tensor(
    function: Named, arguments: tuple[object, ...], dtype: torch.dtype | None, *, marked: bool
) -> Opaque | StoredTensor:
    """Return the tensor, unless its numbers are not simply those of the storage; `marked` are conjugate and negated views."""
    if dtype is None or marked:
        return Opaque(function.name)
    match arguments:
        case (Storage() as storage, int(offset), tuple(shape), tuple(strides), *_) if len(shape) <= _MOST_DIMENSIONS:
            if len(shape) == len(strides) and all(map(_is_size, (offset, *shape, *strides))):
                return StoredTensor(storage, dtype, offset, tuple(shape), tuple(strides))
    raise MalformedTorchFile("a tensor is described wrongly")


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value < _MOST
