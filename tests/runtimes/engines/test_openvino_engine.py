"""What OpenVINO's engine refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.openvino_bundle import IR, add_openvino
from helpers.support import Command, edit_manifest, reseal

from sentiment_edge import EngineError, load


@pytest.fixture
def bundle(bundle_folder: Path) -> Path:
    return add_openvino(bundle_folder)


def test_an_ir_from_a_newer_openvino_is_one_clear_line(bundle: Path, command: Command) -> None:
    text = (bundle / IR).read_text("utf-8")
    newer = text.replace('version="11"', 'version="99"', 1)
    assert newer != text
    (bundle / IR).write_text(newer, "utf-8")
    reseal(bundle, IR)
    done = command("predict", bundle, "--engine", "openvino", stdin=b"good\n")
    assert done.returncode == 1
    assert b"pip install -U openvino" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_forged_manifest_that_swaps_the_models_is_refused(bundle: Path) -> None:
    edit_manifest(bundle, engines={"openvino": "onnx/model_quantized.onnx"})
    with pytest.raises(EngineError, match="not in a format that OpenVINO"):
        load(bundle)("good")


def test_labels_that_are_not_the_models_are_refused(bundle: Path) -> None:
    edit_manifest(bundle, labels=["a", "b", "c"])
    with pytest.raises(EngineError, match="not a classifier of 3 labels"):
        load(bundle, engine="openvino")("good")
