"""Outputs of a model that are not what its bundle promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.onnx_writer import put_classifier
from helpers.support import edit_manifest

from sentiment_edge import EngineError, InputError, load
from sentiment_edge_runtimes.engines.engine import checked_outputs, translated
from sentiment_edge_runtimes.engines.loader import open_engine


def test_the_right_logits_are_taken(bundle_folder: Path) -> None:
    assert load(put_classifier(bundle_folder)).logits(["good", "a longer one"]).tolist() == [[0.25, -0.5]] * 2


@pytest.mark.parametrize(
    ("logits", "found"),
    [
        ("three-dimensional", r"float32 \[2, \d+, 2\], not numbers of \[2, 2\]"),
        ("wrong rows", r"float32 \[2\], not numbers of"),
    ],
)
def test_logits_of_another_shape_are_named(bundle_folder: Path, logits: str, found: str) -> None:
    classifier = load(put_classifier(bundle_folder, logits))
    with pytest.raises(EngineError, match=rf"^the model's logits are {found}.*; export the bundle again$"):
        classifier(["good one", "good one"])


def test_scalar_logits_are_named(bundle_folder: Path) -> None:
    put_classifier(bundle_folder, "scalar")
    with pytest.raises(EngineError, match="not a classifier of 2 labels"):
        load(bundle_folder)("good")


def test_a_fixed_batch_that_the_model_does_not_have_gives_its_own_rows(bundle_folder: Path) -> None:
    edit_manifest(put_classifier(bundle_folder), batch=3)
    assert load(bundle_folder).logits(["good"]).tolist() == [[0.25, -0.5]]


def test_a_row_without_tokens_is_refused() -> None:
    engine = open_engine(load().bundle, "onnxruntime", 1)
    mask = np.array([[1, 1], [0, 0]])
    with pytest.raises(InputError, match="a row of the attention mask is all zeros"):
        engine(np.full_like(mask, 5), mask)


def test_an_error_of_ours_passes_as_it_is() -> None:
    with pytest.raises(EngineError, match=r"^ours$"), translated("the library failed"):
        raise EngineError("ours")
    with pytest.raises(EngineError, match=r"^the library failed: theirs$"), translated("the library failed"):
        raise OSError("theirs")


RIGHT = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    "results",
    [
        {},
        {"logits": [RIGHT]},
        {"logits": RIGHT.astype(np.int64)},
        {"logits": RIGHT.astype(str)},
        {"logits": RIGHT[:1]},
        {"logits": RIGHT[0]},
        {"logits": RIGHT[..., None]},
        {"logits": np.float32(0)},
        {"logits": RIGHT, "attention": RIGHT[:1]},
        {"logits": RIGHT, "attention": RIGHT[..., None]},
        {"logits": RIGHT, "attention": "x"},
    ],
    ids=str,
)
def test_anything_else_is_one_error(results: dict[str, object]) -> None:
    with pytest.raises(EngineError, match="export the bundle again") as refusal:
        checked_outputs(results, 2, 3)
    assert "\n" not in str(refusal.value)
