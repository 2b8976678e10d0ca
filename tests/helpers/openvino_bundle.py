"""A second engine for a bundle: a tiny OpenVINO model of the same inputs and outputs, for tests of choosing and measuring."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from helpers.support import edit_manifest

FILES = ("openvino/openvino_model.xml", "openvino/openvino_model.bin")


def add_openvino(folder: Path) -> Path:
    """Put a mean of random embeddings beside the bundle's model, and call the bundle fp32: int8 is refused on some CPUs."""
    openvino = pytest.importorskip("openvino")
    from openvino import opset13 as ops  # noqa: PLC0415 - where it is installed

    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    vocabulary = len(json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"])
    random = np.random.default_rng(0)
    ids, mask = ops.parameter([-1, -1], np.int64), ops.parameter([-1, -1], np.int64)
    vectors = ops.gather(random.standard_normal((vocabulary, len(manifest["labels"])), np.float32), ids, np.int64(0))
    weights = ops.unsqueeze(ops.convert(mask, np.float32), np.int64(2))
    logits = ops.reduce_mean(ops.multiply(vectors, weights), np.int64(1))
    for node, name in ((ids, "input_ids"), (mask, "attention_mask"), (logits, "logits")):
        node.output(0).set_names({name})
    openvino.save_model(openvino.Model([logits], [ids, mask]), folder / FILES[0], compress_to_fp16=False)
    with (folder / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.writelines(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES)
    edit_manifest(
        folder,
        precision="fp32",
        engines={**manifest["engines"], "openvino": FILES[0]},
        files={**manifest["files"], **{name: (folder / name).stat().st_size for name in FILES}},
    )
    return folder
