"""Listing the tensors in a checkpoint's file."""

from __future__ import annotations

from stat import S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from safetensors import SafetensorError, safe_open

from sentiment_edge_export.checkpoints.burn_records import is_safetensors, read_record
from sentiment_edge_export.checkpoints.files import check_is_here
from sentiment_edge_export.checkpoints.torch_files import list_torch_file
from sentiment_edge_export.checkpoints.weights import check_header
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from pathlib import Path

_OF_TORCH = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""The first bytes of a zip file, and of a pickle in each protocol that torch may have used."""
_OTHERS = {
    b"GGUF": "weights in GGUF, llama.cpp's format; `gguf-dump` of the Python package gguf lists them",
    b"\x89HDF": "an HDF5 file, as TensorFlow and Keras write weights; `h5ls -r` lists them",
    **dict.fromkeys((b"<!DO", b"<!do", b"<htm"), "a web page, which a refused download leaves; get the file itself"),
}
"""Files that hold no tensors to list here, by their first bytes."""
_ONNX = "a model in ONNX, a graph with its weights; onnx.load of the Python package onnx reads it"
_SAFETENSORS = {"BOOL": "bool", "BF16": "bfloat16", "F": "float", "I": "int", "U": "uint"}
"""Our names of types by their names, or the start of their names, in a safetensors file."""


class TensorEntry(NamedTuple):
    """Name, type and shape of a tensor."""

    name: str
    dtype: str
    """The type's name in numpy and torch."""
    shape: tuple[int, ...]


def list_tensors(path: Path) -> list[TensorEntry]:
    """Return the tensors of a safetensors file, a torch file or a Burn record, in the file's order.

    Raises:
        CheckpointError: the file is none of these, or damaged; the message says which, if that can be told.
    """
    check_is_here(path)
    try:
        if not S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise CheckpointError(f"{path}: not a file")
        with path.open("rb") as file:
            start = file.read(4)
        _check_kind(path, start)
        if is_safetensors(path):
            check_header(path)
            return _of_safetensors(path)
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or first_line(error)}") from error
    if start.startswith(_OF_TORCH):
        stored = list_torch_file(path)
        return [TensorEntry(name, str(tensor.dtype).removeprefix("torch."), tensor.shape) for name, tensor in stored.items()]
    record = read_record(path)
    return [TensorEntry(name, array.dtype.name, array.shape) for name, array in record.tensors.items()]


def _check_kind(path: Path, start: bytes) -> None:
    """Refuse a file of another kind, which would only be called damaged, by its first bytes or its name."""
    other = _ONNX if path.suffix == ".onnx" else _OTHERS.get(start)
    if other is not None:
        raise CheckpointError(f"{path}: {other}")


def _of_safetensors(path: Path) -> list[TensorEntry]:
    """Return the tensors, reading the header only."""
    try:
        with safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            return [TensorEntry(name, _dtype(part.get_dtype()), tuple(part.get_shape())) for name, part in slices.items()]
    except SafetensorError as error:
        raise CheckpointError(f"{path}: damaged or cut off ({first_line(error)})") from error


def _dtype(name: str) -> str:
    found = next((start for start in _SAFETENSORS if name.startswith(start)), "")
    return _SAFETENSORS[found] + name.removeprefix(found).lower() if found else name
