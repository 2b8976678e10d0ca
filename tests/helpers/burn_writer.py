"""Records as Burn writes them, in all its formats, and a tiny model of random weights."""

from __future__ import annotations

import gzip
import json
import struct
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import cbor2
import msgpack
import numpy as np
from safetensors.numpy import save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

Tensors = dict[str, "NDArray[Any]"]

FLOATS = {"float16": ("F16", "half::binary16::f16"), "float32": ("F32", "f32"), "float64": ("F64", "f64")}
_CONFIG = {"d_model": 16, "d_ff": 24, "n_heads": 4, "n_layers": 2, "dropout": 0.1, "norm_first": True, "quiet_softmax": True}


def tiny_tensors(*, vocabulary: int, positions: int = 16, width: int = 16, wide: int = 24, layers: int = 2) -> Tensors:
    """Random weights, names and layout of Burn, large enough that texts get different labels."""
    random = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {
        "embedding_token.weight": (vocabulary, width),
        "embedding_pos.weight": (positions, width),
    }
    for layer in (f"transformer.layers.{index}" for index in range(layers)):
        for part in ("query", "key", "value", "output"):
            shapes |= {f"{layer}.mha.{part}.weight": (width, width), f"{layer}.mha.{part}.bias": (width,)}
        shapes |= {f"{layer}.pwff.linear_inner.weight": (width, wide), f"{layer}.pwff.linear_inner.bias": (wide,)}
        shapes |= {f"{layer}.pwff.linear_outer.weight": (wide, width), f"{layer}.pwff.linear_outer.bias": (width,)}
        for norm in ("norm_1", "norm_2"):
            shapes |= {f"{layer}.{norm}.gamma": (width,), f"{layer}.{norm}.beta": (width,)}
    shapes |= {"output.weight": (width, 3), "output.bias": (3,)}
    tensors = {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    return {name: tensor + np.float32(name.endswith("gamma")) for name, tensor in tensors.items()}


def config(**changes: object) -> dict[str, Any]:
    """Burn's config.json."""
    return {"transformer": {**_CONFIG, **changes}, "max_seq_length": 16, "batch_size": 32, "num_epochs": 5}


def tree(tensors: Tensors, version: str = "0.18.0") -> dict[str, Any]:
    """The tree that a recorder serializes."""
    kind = FLOATS[next(iter(tensors.values())).dtype.name][1] if tensors else "f32"
    record = f"burn_core::record::file::NamedMpkFileRecorder<{kind}>"
    metadata = {"float": kind, "int": "i32", "format": record, "version": version, "settings": kind}
    return {"metadata": metadata, "item": _nested(tensors, version < "0.14"), "_b": []}


def _nested(tensors: Tensors, early: bool) -> Any:
    """Modules as maps, lists of modules as lists, what has no weights as nil."""
    if tensors.keys() == {""}:
        return {"id": "0a1b2c", "param": _parameter(tensors[""], early)}
    children: dict[str, Tensors] = defaultdict(dict)
    for name, tensor in tensors.items():
        head, _, rest = name.partition(".")
        children[head][rest] = tensor
    if children and all(name.isdigit() for name in children):
        return [_nested(child, early) for child in children.values()]
    return {name: _nested(child, early) for name, child in children.items()} | {"dropout": None}


def _parameter(tensor: NDArray[Any], early: bool) -> dict[str, Any]:
    if not early:
        return {"bytes": tensor.tobytes(), "shape": list(tensor.shape), "dtype": FLOATS[tensor.dtype.name][0]}
    values = tensor.view(np.uint16) if tensor.dtype == np.float16 else tensor
    return {"value": values.ravel().tolist(), "shape": list(tensor.shape)}


def messagepack(tensors: Tensors, version: str = "0.18.0") -> bytes:
    packed: bytes = msgpack.packb(tree(tensors, version))
    return packed


def messagepack_gzipped(tensors: Tensors) -> bytes:
    return gzip.compress(messagepack(tensors))


def early_messagepack(tensors: Tensors) -> bytes:
    return messagepack(tensors, "0.13.2")


def pretty_json(tensors: Tensors) -> bytes:
    return json.dumps(tree(tensors), indent=2, default=list).encode()


def burnpack(tensors: Tensors, alignment: int = 256) -> bytes:
    offsets, described, body = 0, {}, b""
    for name, tensor in tensors.items():
        body += b"\0" * (-len(body) % alignment)
        offsets = len(body)
        body += tensor.tobytes()
        dtype = FLOATS[tensor.dtype.name][0]
        described[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offsets, len(body)], "param_id": 7}
    description = cbor2.dumps({"tensors": described})
    head = struct.pack("<IHI", 0x4255524E, 1, len(description)) + description
    return head + b"\0" * (-len(head) % alignment) + body


def early_burnpack(tensors: Tensors) -> bytes:
    return burnpack(tensors, alignment=1)


def safetensors(tensors: Tensors) -> bytes:
    return save(tensors, {"format": "safetensors", "producer": "burn", "version": "0.19.0"})


def safetensors_as_in_torch(tensors: Tensors) -> bytes:
    """By the adapter that turns matrices round and names norms as torch does."""
    renamed = {}
    for name, tensor in tensors.items():
        turned = tensor.T.copy() if tensor.ndim > 1 and not name.startswith("embedding") else tensor
        renamed[name.replace(".gamma", ".weight").replace(".beta", ".bias")] = turned
    return safetensors(renamed)


FORMATS: dict[str, Callable[[Tensors], bytes]] = {
    "model.mpk": messagepack,
    "early.mpk": early_messagepack,
    "model.mpk.gz": messagepack_gzipped,
    "model.json": pretty_json,
    "model.bpk": burnpack,
    "early.bpk": early_burnpack,
    "model.safetensors": safetensors,
}


def write_model(folder: Path, contents: bytes, name: str = "model.mpk", **changes: object) -> Path:
    """Write a checkpoint's folder but for its tokenizer."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(**changes)), "utf-8")
    (folder / name).write_bytes(contents)
    return folder
