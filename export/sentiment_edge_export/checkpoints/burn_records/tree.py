"""Records as a tree of modules, in MessagePack or JSON: what Burn's recorders wrote up to version 0.21.

A map with `metadata` and `item`; in `item` a module is a map of its fields, a list of modules a list, a parameter a map of `id`
and `param`, anything else nil. In `param` lie `bytes`, `shape` and `dtype`, before 0.14 `value` and `shape`. Facts from the
sources of burn-core (record/file.rs, record/tensor.rs).
"""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import msgpack

from sentiment_edge_export.checkpoints.burn_records.arrays import Malformed, shown, to_array, values_to_array

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_PARAMETER = {"id", "param"}


def read_messagepack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return metadata and tensors of a NamedMpk record.

    Raises:
        Malformed, ValueError: it is not one.
    """
    # Decoding reserves as much as a list says it has. Skipping reserves nothing and ends where the data does.
    msgpack.Unpacker(BytesIO(data), max_buffer_size=len(data)).skip()
    return _read(msgpack.unpackb(data))


def read_json(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return metadata and tensors of a record in JSON.

    Raises:
        Malformed, ValueError, RecursionError: it is not one.
    """
    return _read(json.loads(data))


def _read(contents: object) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    if not isinstance(contents, dict) or "item" not in contents or not isinstance(contents.get("metadata"), dict):
        raise Malformed("not a record: no metadata and item")
    metadata = contents["metadata"]
    tensors: dict[str, NDArray[Any]] = {}
    for name, parameter in _parameters(contents["item"], ""):
        if name in tensors:
            raise Malformed(f"two tensors are called {shown(name)}")
        tensors[name] = _tensor(name, parameter, metadata.get("float"))
    return metadata, tensors


def _parameters(node: object, path: str) -> Iterator[tuple[str, object]]:
    """Find the parameters under a node, with their names: field names and list positions, joined by dots."""
    if isinstance(node, dict) and node.keys() == _PARAMETER:
        yield path, node["param"]
    elif isinstance(node, dict | list):
        fields = node.items() if isinstance(node, dict) else enumerate(node)
        for field, child in fields:
            yield from _parameters(child, f"{path}.{field}" if path else str(field))


def _tensor(name: str, parameter: object, float_kind: object) -> NDArray[Any]:
    if not isinstance(parameter, dict):
        raise Malformed(f"{shown(name)} is no tensor")
    stored, values = parameter.get("bytes"), parameter.get("value")
    if isinstance(stored, list):  # as JSON has to write them
        try:
            stored = bytes(stored)
        except (ValueError, TypeError) as error:
            raise Malformed(f"{shown(name)} holds what is no byte") from error
    if isinstance(stored, bytes):
        return to_array(name, parameter.get("dtype"), parameter.get("shape"), stored)
    if isinstance(values, list):
        return values_to_array(name, float_kind, parameter.get("shape"), values)
    raise Malformed(f"{shown(name)} is no tensor")
