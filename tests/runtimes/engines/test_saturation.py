from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE, Classifier
from sentiment_edge_runtimes.engines import onnxruntime as onnxruntime_engine
from sentiment_edge_runtimes.engines import saturation

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    saturation.products_saturate.cache_clear()
    yield
    saturation.products_saturate.cache_clear()


def test_the_probe_is_what_its_script_gives() -> None:
    pytest.importorskip("onnx", reason="needs the extra export")
    from tools.saturation_model import saturation_model  # noqa: PLC0415

    assert saturation._MODEL.read_bytes() == saturation_model().SerializeToString(deterministic=True)  # noqa: SLF001


def test_the_probe_finds_what_a_sum_in_16_bits_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    class Saturating:
        """Pairs of products, as x86 without VNNI adds them up."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def run(self, _: object, inputs: dict[str, Any]) -> list[np.ndarray]:
            pairs = (inputs["a"].astype(int) * 127).reshape(len(inputs["a"]), -1, 2).sum(axis=2)
            return [np.minimum(pairs, 2**15 - 1).sum(axis=1, keepdims=True).repeat(32, axis=1)]

    monkeypatch.setattr(saturation.onnxruntime, "InferenceSession", Saturating)  # type: ignore[attr-defined]
    assert saturation.products_saturate()


def test_the_exact_kernels_give_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["what a lovely film", "an awful, long day"]
    bundle = Bundle.open(DEFAULT_BUNDLE)
    expected = Classifier(bundle).logits(texts)
    monkeypatch.setattr(onnxruntime_engine, "products_saturate", lambda: True)
    assert np.abs(Classifier(bundle).logits(texts) - expected).max() <= 1e-5
