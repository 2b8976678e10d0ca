"""Which kind of record a file is, told by its first bytes, and what is in it."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import cbor2
import msgpack
from safetensors import SafetensorError, deserialize, safe_open

from sentiment_edge_export.checkpoints.burn_records.arrays import Malformed, to_array
from sentiment_edge_export.checkpoints.burn_records.burnpack import MAGIC, read_burnpack
from sentiment_edge_export.checkpoints.burn_records.tree import read_json, read_messagepack
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RecordFormat = Literal["messagepack", "json", "burnpack", "safetensors"]

_GZIP = b"\x1f\x8b"
_MOST_INFLATED = 64
"""How many times a gzip file's size its contents may have; weights shrink by less than a half."""
_SHORT = 2**20
"""Bytes that contents may always have."""
_MAPS = (*range(0x80, 0x90), 0xDE, 0xDF)
"""With what a map starts in MessagePack."""
_DAMAGE = (
    ValueError,
    EOFError,
    RecursionError,
    zlib.error,
    cbor2.CBORError,
    msgpack.UnpackException,
    SafetensorError,
)
"""What the libraries raise over a file that breaks their format."""
_TORCH = (b"PK\x03\x04", b"\x80\x02")


@dataclass(frozen=True)
class BurnRecord:
    """The tensors of a trained model, and what wrote them."""

    format: RecordFormat
    version: str | None
    """Burn's, such as 0.18.0; of a burnpack file the earliest that writes such files; None where nothing tells."""
    tensors: dict[str, NDArray[Any]]
    """By field names and list positions joined by dots; as stored, but bfloat16 as float32; read-only."""


def read_record(path: Path) -> BurnRecord:
    """Read a record of any kind but the nameless `.bin`.

    NamedMpk and JSON, both gzipped or not, with tensors as bytes or (before Burn 0.14) as lists; burnpack; safetensors.

    Raises:
        CheckpointError: the file cannot be read, is damaged, or is something else.
    """
    try:
        return _read(path)
    except Malformed as error:
        raise CheckpointError(f"{path}: {error}") from error
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or first_line(error)}") from error
    except _DAMAGE as error:
        raise CheckpointError(f"{path}: a damaged record, or one cut off ({first_line(error)})") from error


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
    raise Malformed(_what_else(path, data))


def _what_else(path: Path, data: bytes) -> str:
    if data.startswith(_TORCH):
        return "a file of torch, not a record of Burn"
    if b"BinFileRecorder" in data[:512] or b"BinGzFileRecorder" in data[:512] or ".bin" in path.suffixes:
        return "Burn's .bin has no names of tensors; save the model with NamedMpkFileRecorder (.mpk) instead"
    return "not a record of Burn (NamedMpk, JSON, burnpack or safetensors)"


def _inflated(path: Path, size: int) -> bytes:
    """Return what a gzip file holds, unless it claims to hold far more than weights do."""
    most = max(_SHORT, _MOST_INFLATED * size)
    with gzip.open(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Malformed(f"inflates to more than {_MOST_INFLATED} times its size; no trained weights do")
    return data


def is_safetensors(path: Path) -> bool:
    """Whether the file starts with the size of a header in 8 bytes, and then a JSON object."""
    with path.open("rb") as file:
        start = file.read(9)
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= path.stat().st_size


def _read_safetensors(path: Path) -> BurnRecord:
    with safe_open(path, "np") as file:
        metadata = file.metadata() or {}
    # Its own way to numpy knows no bfloat16.
    tensors = {}
    for name, tensor in deserialize(path.read_bytes()):  # type: ignore[no-untyped-call]
        dtype = tensor["dtype"].replace("BOOL", "Bool")
        tensors[name] = to_array(name, dtype, tensor["shape"], tensor["data"])
    version = metadata.get("version") if metadata.get("producer") == "burn" else None
    return BurnRecord("safetensors", _stated(version), tensors)


def _stated(version: object) -> str | None:
    return version if isinstance(version, str) else None
