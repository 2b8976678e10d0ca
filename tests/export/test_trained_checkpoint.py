"""A really trained, full-size checkpoint, with logits that its original definition gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from helpers.invocation import invoke

from sentiment_edge import load
from sentiment_edge_runtimes.comparison import Condition, LogitsOrigin
from sentiment_edge_runtimes.vocabulary import PRECISIONS, EngineName, Precision

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge import Classifier


class Case(NamedTuple):
    checkpoint: str
    nodes: dict[str, int]
    fp32_bytes: float
    """Of the ONNX file with its weights."""
    int8_bytes: float
    """Before any back-off, which depends on the CPU: a rounding that falls the other way may flip a near tie."""


_ENCODER = {"LayerNormalization": 13, "Gelu": 6, "MultiHeadAttention": 6}
CASES = [
    Case("gru-sst2", {"GRU": 1}, 17.2e6, 4.7e6),
    Case("electra-mini-sst3", _ENCODER, 92.9e6, 0.26 * 92.64e6 + 2e6),
    Case("distilbert-mini-imdb", _ENCODER, 91.2e6, 0.26 * 90.89e6 + 2e6),
    Case("sam-tweets", {"LayerNormalization": 8, "Gelu": 4}, 43e6, 0.26 * 42.9e6 + 2e6),
]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.checkpoint)
def test_golden_logits(shared: Callable[[str], Path], tmp_path: Path, case: Case, precision: Precision) -> None:
    checkpoint = shared(f"checkpoints/{case.checkpoint}")
    engines: tuple[EngineName, ...] = ("onnxruntime", "openvino") if precision == "fp32" else ("onnxruntime",)
    flags = [f"--engine={engine}" for engine in engines] + ["--int8"] * (precision == "int8")
    done = invoke("export", "--model", checkpoint, "--output", tmp_path / "out", "--json", *flags)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert report["parity"]["passed"] is True
    assert report["nodes"] == case.nodes
    onnx_bytes = sum(size for name, size in report["files"].items() if name.startswith("onnx/"))
    back_off = 0.75 * case.fp32_bytes * sum(weight["share"] for weight in report["fp32"])
    assert onnx_bytes <= (case.int8_bytes + back_off if precision == "int8" else case.fp32_bytes)
    golden = [json.loads(line) for line in (checkpoint / "golden.jsonl").read_text("utf-8").split("\n") if line]
    for engine in engines:
        classifier = load(tmp_path / "out", engine=engine)
        check_reasons(classifier, 1e-4 if precision == "fp32" else 0.01)
        logits = classifier.logits([row["text"] for row in golden])
        run = LogitsOrigin(engine, precision, "softmax")
        condition = Condition.of("golden", logits, np.array([row["logits"] for row in golden], np.float32), run)
        assert condition.agreement == 1
        assert condition.max_drift <= (1e-4 if precision == "fp32" else 0.05)
        assert precision == "int8" or condition.max_logit_difference <= 1e-4
    assert invoke("verify", tmp_path / "out").returncode == 0


def check_reasons(classifier: Classifier, tolerance: float) -> None:
    """Check the weights of words that are a token each, so that the mask's name in their place is the same text."""
    text = "a dull and boring film, but not bad"
    explanation = classifier.explain(text, "occlusion")
    assert [word.token for word in explanation.tokens] == text.replace(",", " ,").split()
    label, score = explanation.prediction.label, explanation.prediction.score
    for word in explanation.tokens:
        masked = classifier(f"{text[: word.start]}[MASK]{text[word.end :]}").scores[label]
        assert word.weight == pytest.approx(score - masked, abs=tolerance)
