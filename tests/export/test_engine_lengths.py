"""The lengths that each engine pads to: any for ONNX Runtime's encoders, a few for a GRU and for OpenVINO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("openvino", reason="needs the extra export-openvino")

from sentiment_edge import load
from sentiment_edge.export import GraphOptions
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.running import life
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from helpers.exports import Exports
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.engines.engine import Outputs

TEXTS = ["good", "good film", "a good film", "not a good film " * 3, "good " * 100, "bad", "a film"] * 9


class Watched:
    """A real engine that remembers its batches."""

    def __init__(self, *arguments: Any) -> None:
        self._engine = open_engine(*arguments)
        self.lengths = self._engine.lengths
        self.masks: list[NDArray[np.int64]] = []

    def sharing(self, texts: int) -> tuple[Watched, int]:
        return self, self._engine.sharing(texts)[1]

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        self.masks.append(attention_mask)
        return self._engine(input_ids, attention_mask)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Watched]:
    engines: list[Watched] = []

    def opening(*arguments: Any) -> Watched:
        engines.append(Watched(*arguments))
        return engines[-1]

    monkeypatch.setattr(life, "open_engine", opening)
    return engines


def test_an_encoder_is_padded_to_the_longest_text_of_its_batch(exports: Exports, opened: list[Watched]) -> None:
    classifier = load(exports("bert", engines=ENGINES).bundle.root, engine="onnxruntime")
    together = classifier.logits(TEXTS)
    (engine,) = opened
    assert all(mask.sum(axis=1).max() == mask.shape[1] for mask in engine.masks)
    assert {mask.shape[1] for mask in engine.masks} - {*classifier.bundle.manifest.lengths}
    alone = np.concatenate([classifier.logits([text]) for text in TEXTS[:7]] * 9)
    assert np.abs(together - alone).max() < 1e-5
    assert len({mask.shape[1] for mask in engine.masks[-7:]}) > 3


def test_a_gru_and_a_fixed_length_keep_their_lengths(exports: Exports) -> None:
    fixed = GraphOptions(fixed_length=16, fixed_batch=4)
    for report in (exports("gru"), exports("bert", engines=ENGINES, graph=fixed)):
        bundle = report.bundle
        assert open_engine(bundle, "onnxruntime", 1).lengths == bundle.manifest.lengths


def test_openvino_has_few_lengths_but_more_short_ones(exports: Exports) -> None:
    bundle = exports("bert", engines=ENGINES).bundle
    lengths = open_engine(bundle, "openvino", 1).lengths
    assert lengths is not None
    assert {*bundle.manifest.lengths} < {*lengths}
    assert [*lengths] == sorted({*lengths})
    assert lengths[-1] == bundle.manifest.max_length
    assert len(lengths) <= 2 * len(bundle.manifest.lengths)
