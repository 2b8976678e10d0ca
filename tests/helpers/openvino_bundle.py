"""A second engine for a bundle: a tiny OpenVINO model of the same inputs and outputs, for tests of choosing and measuring."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from helpers.support import edit_manifest, put_file
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.tokenization import TextTokenizer

IR = "openvino/openvino_model.xml"
_STATIC = {"scheme": "static", "weights": "none", "activations": "int8", "fp32": []}


def add_openvino(folder: Path, *, static: bool = False) -> Path:
    """Put a mean of random embeddings beside the bundle's model, with golden outputs of its own.

    Args:
        folder: the bundle, which is changed.
        static: say that it multiplies int8 by static scales, which is refused on some CPUs; by default it is called fp32.
    """
    bundle = Bundle.open(folder)
    vocabulary = len(json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"])
    embeddings = np.random.default_rng(0).standard_normal((vocabulary, len(bundle.manifest.labels)), np.float32)
    _save_model(folder / IR, embeddings)
    for path in (folder / IR, (folder / IR).with_suffix(".bin")):
        put_file(folder, f"openvino/{path.name}", path.read_bytes())
    _add_golden(folder, bundle, embeddings)
    recipes = {engine: recipe.to_json() for engine, recipe in bundle.manifest.quantization.items()}
    edit_manifest(
        folder,
        precision="int8" if static else "fp32",
        quantization={**recipes, "openvino": _STATIC} if static else None,
        engines={**bundle.manifest.engines, "openvino": IR},
    )
    return folder


def _save_model(path: Path, embeddings: np.ndarray) -> None:
    openvino = pytest.importorskip("openvino")
    from openvino import opset13 as ops  # noqa: PLC0415 - where it is installed

    ids, mask = ops.parameter([-1, -1], np.int64), ops.parameter([-1, -1], np.int64)
    weights = ops.unsqueeze(ops.convert(mask, np.float32), np.int64(2))
    vectors = ops.multiply(ops.gather(embeddings, ids, np.int64(0)), weights)
    logits = ops.divide(ops.reduce_sum(vectors, np.int64(1)), ops.reduce_sum(weights, np.int64(1)))
    for node, name in ((ids, "input_ids"), (mask, "attention_mask"), (logits, "logits")):
        node.output(0).set_names({name})
    openvino.save_model(openvino.Model([logits], [ids, mask]), path, compress_to_fp16=False)


def _add_golden(folder: Path, bundle: Bundle, embeddings: np.ndarray) -> None:
    rows = [json.loads(line) for line in (folder / "golden.jsonl").read_text("utf-8").split("\n") if line]
    for row, tokens in zip(rows, TextTokenizer(bundle, 1).encode([row["text"] for row in rows]), strict=True):
        row["logits_openvino"] = embeddings[tokens.ids].mean(axis=0).tolist()
    put_file(folder, "golden.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
