"""Bundles whose right answer is known: each token adds a number of its own to one logit, and nothing else counts."""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from helpers.onnx_writer import sums
from helpers.support import edit_manifest, put_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LABELS = ["negative", "positive"]
MASK, UNKNOWN = -0.25, 0.125
"""What the mask token and an unknown word add."""
_BERT = {
    "version": "1.0",
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
}


def word_pieces(words: Sequence[str], *, mask: bool = True, **parts: Any) -> bytes:
    """Return a tokenizer.json as BERT's, with these pieces after the special ones; `parts` take the place of its own."""
    names = [name for name in SPECIAL if mask or name != "[MASK]"]
    added = [
        {
            "id": index,
            "content": name,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for index, name in enumerate(names)
    ]
    vocabulary = {name: index for index, name in enumerate([*names, *words])}
    model = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
    return json.dumps({**_BERT, "added_tokens": added, "model": {**model, "vocab": vocabulary}, **parts}).encode()


def put_words(
    folder: Path, words: Mapping[str, float], *, mask: bool = True, engine: str = "onnxruntime", **manifest: Any
) -> Path:
    """Make a bundle a model of these words and what each adds to the logit of "positive"; that of "negative" is 0."""
    amounts = {"[UNK]": UNKNOWN, "[MASK]": MASK, **words}
    tokenizer = word_pieces([*words], mask=mask)
    return put_sums(folder, tokenizer, amounts, engine=engine, **manifest)


def put_sums(
    folder: Path, tokenizer: bytes, amounts: Mapping[str, float], *, engine: str = "onnxruntime", **manifest: Any
) -> Path:
    """Make a bundle a model of this tokenizer's tokens, of which those not named add nothing."""
    put_file(folder, "tokenizer.json", tokenizer)
    vocabulary = ids_of(tokenizer)
    table = np.zeros((max(vocabulary.values()) + 1, 2), np.float32)
    for token, index in vocabulary.items():
        table[index, 1] = amounts.get(token, 0)
    name = "onnx/model.onnx" if engine == "onnxruntime" else "openvino/openvino_model.xml"
    if engine == "onnxruntime":
        put_file(folder, name, sums(len(table), struct.pack(f"<{table.size}f", *table.ravel())))
    else:
        _save_ir(folder, table)
    changes = {"engines": {engine: name}, "quantization": None, "precision": "fp32", "nodes": {}, "labels": LABELS}
    edit_manifest(folder, **changes, **manifest)
    return folder


def ids_of(tokenizer: bytes) -> dict[str, int]:
    """Return the id of each token."""
    model = json.loads(tokenizer)["model"]
    vocabulary = model["vocab"]
    return dict(vocabulary) if isinstance(vocabulary, dict) else {piece: index for index, (piece, _) in enumerate(vocabulary)}


def positive(total: float) -> float:
    """Return the probability of "positive" at this logit."""
    return 1 / (1 + math.exp(-total))


def _save_ir(folder: Path, table: np.ndarray) -> None:
    openvino = pytest.importorskip("openvino")
    from openvino import opset13 as ops  # noqa: PLC0415 - where it is installed

    ids = ops.parameter([-1, -1], np.int64)
    logits = ops.reduce_sum(ops.gather(table, ids, np.int64(0)), np.int64(1))
    for node, name in ((ids, "input_ids"), (logits, "logits")):
        node.output(0).set_names({name})
    path = folder / "openvino" / "openvino_model.xml"
    openvino.save_model(openvino.Model([logits], [ids]), path, compress_to_fp16=False)
    for saved in (path, path.with_suffix(".bin")):
        put_file(folder, f"openvino/{saved.name}", saved.read_bytes())
