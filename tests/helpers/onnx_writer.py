"""Tiny ONNX models, written field by field: what a bundle needs, and what a forger would make of it."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

from helpers.support import edit_manifest, put_file
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FLOAT, _INT64 = 1, 7
_ELSEWHERE = 1
VOCABULARY = json.loads((DEFAULT_BUNDLE / "config.json").read_text("utf-8"))["vocab_size"]
"""Rows of the embedding, as many as the default bundle's tokenizer has tokens."""
LOGITS = {
    "right": ("ReduceMean", (1,), ("batch", 2)),
    "three-dimensional": ("ReduceMean", (3,), ("batch", "length", 2)),
    "wrong rows": ("ReduceMean", (0, 1), (2,)),
    "scalar": ("ReduceMean", (0, 1, 2), ()),
}
"""By what is wrong: the operator, its axes, and the shape of its result."""


def varint(number: int) -> bytes:
    """Write a number of variable length."""
    more = b""
    while number >= 0x80:
        more += bytes([number & 0x7F | 0x80])
        number >>= 7
    return more + bytes([number])


def field(number: int, value: int | bytes | str) -> bytes:
    """Write one field of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name: str, shape: Sequence[int], data: bytes = b"", location: str | None = None) -> bytes:
    """Write a tensor of floats, with its data in it or elsewhere."""
    start = b"".join(field(1, size) for size in shape) + field(2, _FLOAT) + field(8, name)
    if location is None:
        return start + field(9, data)
    return start + field(13, entry("location", location)) + field(14, _ELSEWHERE)


def entry(key: str, value: str) -> bytes:
    """Write an entry of a tensor's external data."""
    return field(1, key) + field(2, value)


def model(graph: bytes) -> bytes:
    """Write a model of one graph."""
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def weights(rows: int = VOCABULARY) -> bytes:
    """Return the data of the embedding: two numbers for each token."""
    return struct.pack("<2f", 0.25, -0.5) * rows


def classifier(logits: str = "right", location: str | None = None) -> bytes:
    """Write a model that takes token ids and gives the mean of their embeddings, or something else than that.

    Args:
        logits: a key of `LOGITS`.
        location: the file that holds the embedding; by default the model itself.
    """
    operator, axes, shape = LOGITS[logits]
    graph = field(2, "g") + field(5, tensor("table", (VOCABULARY, 2), b"" if location else weights(), location))
    graph += field(1, field(1, "table") + field(1, "input_ids") + field(2, "each") + field(4, "Gather"))
    graph += _reduction(operator, axes)
    return model(
        graph + field(11, _value("input_ids", _INT64, ("batch", "length"))) + field(12, _value("logits", _FLOAT, shape))
    )


def sums(rows: int, data: bytes) -> bytes:
    """Write a model that takes token ids and gives the sum of their embeddings, so many rows of two numbers."""
    graph = field(2, "g") + field(5, tensor("table", (rows, 2), data))
    graph += field(1, field(1, "table") + field(1, "input_ids") + field(2, "each") + field(4, "Gather"))
    equation = field(1, "equation") + field(4, "blc->bc") + field(20, 3)
    graph += field(1, field(1, "each") + field(2, "logits") + field(4, "Einsum") + field(5, equation))
    graph += field(11, _value("input_ids", _INT64, ("batch", "length")))
    return model(graph + field(12, _value("logits", _FLOAT, ("batch", 2))))


def _reduction(operator: str, axes: Sequence[int]) -> bytes:
    if axes == (3,):
        return field(1, field(1, "each") + field(2, "logits") + field(4, "Identity"))
    numbers = field(1, "axes") + b"".join(field(8, axis) for axis in axes) + field(20, 7)
    kept = field(1, "keepdims") + field(3, 0) + field(20, 2)
    return field(1, field(1, "each") + field(2, "logits") + field(4, operator) + field(5, numbers) + field(5, kept))


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, sizes)))


def put_classifier(folder: Path, logits: str = "right", location: str | None = None) -> Path:
    """Make `onnx/model.onnx` a bundle's model; `location` is listed only if it is put there with `put_file`."""
    put_file(folder, "onnx/model.onnx", classifier(logits, location))
    edit_manifest(folder, engines={"onnxruntime": "onnx/model.onnx"}, quantization=None, precision="fp32", nodes={})
    return folder
