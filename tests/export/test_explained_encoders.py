"""Occlusion of exported models: a word's weight is what the probability loses when the text is asked about without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from helpers.exports import Exports

from sentiment_edge import load
from sentiment_edge.export import GraphOptions, export_model
from sentiment_edge_runtimes.vocabulary import ENGINES, EngineName

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentiment_edge import Classifier

TEXT = "the film was not good, and the day was long!"
"""Words of the tiny tokenizer, which has no mask: without a word's tokens the model reads the text without the word."""
FIXED: dict[str, Any] = {"graph": GraphOptions(fixed_length=16, fixed_batch=4)}


def check(classifier: Classifier, method: str, tolerance: float) -> None:
    explanation = classifier.explain(TEXT, "occlusion")
    assert classifier.explain(TEXT).method == method
    assert explanation.prediction == classifier(TEXT)
    assert [word.token for word in explanation.tokens] == TEXT.replace(",", " ,").replace("!", " !").split()
    assert explanation.runs == 1 + len(explanation.tokens)
    label, score = explanation.prediction.label, explanation.prediction.score
    for word in explanation.tokens:
        without = classifier(f"{TEXT[: word.start]} {TEXT[word.end :]}").scores[label]
        assert word.weight == pytest.approx(score - without, abs=tolerance)
    assert max(abs(word.weight) for word in explanation.tokens) > 10 * tolerance


@pytest.mark.parametrize("engine", ENGINES)
def test_an_encoder(exports: Exports, engine: EngineName) -> None:
    pytest.importorskip(engine)
    check(load(exports("bert", engines=ENGINES).bundle.root, engine=engine, threads=2), "occlusion", 1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_encoder_of_fixed_shape(exports: Exports, engine: EngineName) -> None:
    pytest.importorskip(engine)
    check(load(exports("bert", engines=ENGINES, **FIXED).bundle.root, engine=engine, threads=1), "occlusion", 1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_model_with_attention(exports: Exports, engine: EngineName) -> None:
    pytest.importorskip(engine)
    check(load(exports("gru", engines=ENGINES).bundle.root, engine=engine, threads=1), "attention", 1e-5)


def test_int8(exports: Exports) -> None:
    check(load(exports("burn", precision="int8").bundle.root, threads=2), "occlusion", 1e-6)


def test_a_trained_model_gives_reasons_that_people_would(shared: Callable[[str], Path], tmp_path: Path) -> None:
    export_model(str(shared("checkpoints/gru-sst2")), output=tmp_path / "out", engines=["onnxruntime"])
    classifier = load(tmp_path / "out", threads=2)
    for text, words in (
        ("A dull, lifeless film.", {"dull", "lifeless"}),
        ("A charming and funny story.", {"charming", "funny"}),
    ):
        weights = {each.token: each.weight for each in classifier.explain(text, "occlusion").tokens}
        assert max(weights, key=weights.__getitem__) in words, weights
