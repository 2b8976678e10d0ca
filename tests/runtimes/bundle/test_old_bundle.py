"""A bundle of each format, whose contents never change: later runtimes must open it. The first precedes the first release."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from sentiment_edge import load, verify
from sentiment_edge_runtimes.bundle import Bundle, Manifest

OLD = Path(__file__).parents[2] / "data" / "bundle-format-1"
UNPADDED = Path(__file__).parents[2] / "data" / "bundle-format-2"


@pytest.mark.parametrize("folder", [OLD, UNPADDED])
def test_it_gives_the_answers_that_it_gave(folder: Path) -> None:
    checked = verify(folder)
    assert checked.passed, checked.failures
    engines = ("onnxruntime", "openvino") if find_spec("openvino") else ("onnxruntime",)
    assert [each.engine for each in checked.conditions] == [engine for engine in engines for _ in range(2)]


def test_its_manifest_is_understood() -> None:
    manifest = Bundle.open(OLD).manifest
    assert (manifest.family, manifest.precision, manifest.labels) == ("gru-attention", "int8", ("negative", "positive"))
    assert {engine: recipe.scheme for engine, recipe in manifest.quantization.items()} == {
        "onnxruntime": "per-token",
        "openvino": "weight-only",
    }
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_its_manifest_is_written_as_it_was_read() -> None:
    stored = json.loads((OLD / "manifest.json").read_text("utf-8"))
    assert stored["format_version"] == 1
    del stored["files"]["README.md"]  # listed then
    stored["quantization"]["openvino"]["scheme"] = "weight-only"  # called `stored` then
    assert Manifest.from_json(stored).to_json() == stored


def test_it_explains_and_predicts() -> None:
    classifier = load(OLD, engine="onnxruntime")
    golden = [json.loads(line) for line in (OLD / "golden.jsonl").read_text("utf-8").split("\n")[:9]]
    texts = [row["text"] for row in golden]
    assert np.abs(classifier.logits(texts) - [row["logits"] for row in golden]).max() <= 0.05
    assert classifier.explain(texts[-1]).prediction.to_dict() == classifier(texts[-1]).to_dict()


def test_texts_of_an_unpadded_model_never_share_a_batch_with_longer_ones() -> None:
    stored = json.loads((UNPADDED / "manifest.json").read_text("utf-8"))
    assert (stored["format_version"], stored["padding"], stored["lengths"]) == (2, "unpadded", [stored["max_length"]])
    assert Manifest.from_json(stored).to_json() == stored
    texts = [json.loads(line)["text"] for line in (UNPADDED / "golden.jsonl").read_text("utf-8").split("\n") if line]
    classifier = load(UNPADDED, engine="onnxruntime")
    together = classifier.logits(texts)
    assert np.abs(together - np.concatenate([classifier.logits([text]) for text in texts])).max() <= 1e-5
