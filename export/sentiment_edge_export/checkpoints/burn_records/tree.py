"""Records as a tree of modules in MessagePack or JSON, as Burn's recorders wrote them up to version 0.21.

A record is a map with `metadata` and `item`. In `item` a module is a map of its fields, a list of modules is a list, a
parameter is a map of `id` and `param`, anything else is nil. `param` holds `bytes`, `shape` and `dtype`, before 0.14 `value`
and `shape`. Facts from the sources of burn-core (record/file.rs, record/tensor.rs).
"""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import msgpack

from sentiment_edge_export.checkpoints.burn_records.arrays import MalformedRecord, to_array, values_to_array
from sentiment_edge_export.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_PARAMETER = {"id", "param"}


def read_messagepack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return metadata and tensors of a NamedMpk record.

    Raises:
        MalformedRecord, ValueError: the data is not such a record.
    """
    # Decoding allocates as much as a list claims to hold; skipping allocates nothing and fails where the data ends.
    msgpack.Unpacker(BytesIO(data), max_buffer_size=len(data)).skip()
    return _read(msgpack.unpackb(data))


def read_json(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return metadata and tensors of a record in JSON.

    Raises:
        MalformedRecord, ValueError, RecursionError: the data is not such a record.
    """
    return _read(json.loads(data))


def _read(contents: object) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    if not isinstance(contents, dict) or "item" not in contents or not isinstance(contents.get("metadata"), dict):
        raise MalformedRecord("not a record: no metadata and item")
    metadata = contents["metadata"]
    tensors: dict[str, NDArray[Any]] = {}
    for name, parameter in _parameters(contents["item"], ""):
        if name in tensors:
            raise MalformedRecord(f"two tensors are called {shown(name)}")
        tensors[name] = _tensor(name, parameter, metadata.get("float"))
    return metadata, tensors


def _parameters(node: object, path: str) -> Iterator[tuple[str, object]]:
    """Yield name and contents of each parameter under a node; names are field names and list positions joined by dots."""
    if isinstance(node, dict) and node.keys() == _PARAMETER:
        yield path, node["param"]
    elif isinstance(node, dict | list):
        fields = node.items() if isinstance(node, dict) else enumerate(node)
        for field, child in fields:
            yield from _parameters(child, f"{path}.{field}" if path else str(field))


def _tensor(name: str, parameter: object, float_kind: object) -> NDArray[Any]:
    if not isinstance(parameter, dict):
        raise MalformedRecord(f"{shown(name)} is no tensor")
    stored, values = parameter.get("bytes"), parameter.get("value")
    if isinstance(stored, list):  # as JSON has to write them
        try:
            stored = bytes(stored)
        except (ValueError, TypeError) as error:
            raise MalformedRecord(f"{shown(name)} holds a value that is no byte") from error
    if isinstance(stored, bytes):
        return to_array(name, parameter.get("dtype"), parameter.get("shape"), stored)
    if isinstance(values, list):
        return values_to_array(name, float_kind, parameter.get("shape"), values)
    raise MalformedRecord(f"{shown(name)} is no tensor")
