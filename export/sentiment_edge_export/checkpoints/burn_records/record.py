"""Reading a record of any format, which its first bytes tell."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import cbor2
import msgpack
from safetensors import SafetensorError, deserialize, safe_open

from sentiment_edge_export.checkpoints.burn_records.arrays import MalformedRecord, to_array
from sentiment_edge_export.checkpoints.burn_records.burnpack import MAGIC, read_burnpack
from sentiment_edge_export.checkpoints.burn_records.tree import read_json, read_messagepack
from sentiment_edge_export.checkpoints.files import check_is_here
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RecordFormat = Literal["messagepack", "json", "burnpack", "safetensors"]

_GZIP = b"\x1f\x8b"
_MOST_INFLATED = 64
"""The largest accepted ratio of contents to size of a gzip file; weights compress by less than half."""
_SHORT = 2**20
"""Contents of at most this many bytes are always accepted."""
_MAPS = (*range(0x80, 0x90), 0xDE, 0xDF)
"""The first byte of a map in MessagePack."""
_DAMAGE = (
    ValueError,
    EOFError,
    RecursionError,
    zlib.error,
    cbor2.CBORError,
    msgpack.UnpackException,
    SafetensorError,
)
"""Errors of the libraries for a damaged file."""
_TORCH = (b"PK\x03\x04", b"\x80\x02")


@dataclass(frozen=True)
class BurnRecord:
    """The tensors of a trained model, and the format and version of its file."""

    format: RecordFormat
    version: str | None
    """Burn's version, such as 0.18.0; for a burnpack file the earliest that writes such files; None if unknown."""
    tensors: dict[str, NDArray[Any]]
    """Read-only arrays by name, which is field names and list positions joined by dots. bfloat16 becomes float32."""


def read_record(path: Path) -> BurnRecord:
    """Read a record of any format but `.bin`, which has no names of tensors.

    The formats are NamedMpk and JSON, gzipped or not, with tensors as bytes or (before Burn 0.14) as lists; burnpack; and
    safetensors.

    Raises:
        CheckpointError: the file cannot be read, is damaged, or has another format.
    """
    check_is_here(path)
    try:
        return _read(path)
    except MalformedRecord as error:
        raise CheckpointError(f"{path}: {error}") from error
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or first_line(error)}") from error
    except _DAMAGE as error:
        raise CheckpointError(f"{path}: the record is damaged or cut off ({first_line(error)})") from error


def _read(path: Path) -> BurnRecord:
    if is_safetensors(path):
        return _read_safetensors(path)
    data = path.read_bytes()
    if data.startswith(_GZIP):
        data = _inflated(path, len(data))
    if data.startswith(MAGIC):
        version, tensors = read_burnpack(data)
        return BurnRecord("burnpack", version, tensors)
    if data[:1].isspace() or data.startswith(b"{"):
        metadata, tensors = read_json(data)
        return BurnRecord("json", _stated(metadata.get("version")), tensors)
    if data and data[0] in _MAPS:
        metadata, tensors = read_messagepack(data)
        return BurnRecord("messagepack", _stated(metadata.get("version")), tensors)
    raise MalformedRecord(_explain(path, data))


def _explain(path: Path, data: bytes) -> str:
    if data.startswith(_TORCH):
        return "a file of torch, not a record of Burn"
    if b"BinFileRecorder" in data[:512] or b"BinGzFileRecorder" in data[:512] or ".bin" in path.suffixes:
        return "Burn's .bin has no names of tensors; save the model with NamedMpkFileRecorder (.mpk) instead"
    return "not a record of Burn (NamedMpk, JSON, burnpack or safetensors)"


def _inflated(path: Path, size: int) -> bytes:
    """Return the contents of a gzip file, but refuse far more than weights can be."""
    most = max(_SHORT, _MOST_INFLATED * size)
    with gzip.open(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise MalformedRecord(f"inflates to more than {_MOST_INFLATED} times its size; no trained weights do")
    return data


def is_safetensors(path: Path) -> bool:
    """Return whether the file starts with the size of a header in 8 bytes and then a JSON object."""
    with path.open("rb") as file:
        start = file.read(9)
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= path.stat().st_size


def _read_safetensors(path: Path) -> BurnRecord:
    with safe_open(path, "np") as file:
        metadata = file.metadata() or {}
    # The library cannot load bfloat16 to numpy.
    tensors = {}
    for name, tensor in deserialize(path.read_bytes()):  # type: ignore[no-untyped-call]
        dtype = tensor["dtype"].replace("BOOL", "Bool")
        tensors[name] = to_array(name, dtype, tensor["shape"], tensor["data"])
    version = metadata.get("version") if metadata.get("producer") == "burn" else None
    return BurnRecord("safetensors", _stated(version), tensors)


def _stated(version: object) -> str | None:
    return version if isinstance(version, str) else None
