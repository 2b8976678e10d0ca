"""All that a program in another language needs to run a bundle: the manifest's interface, and golden outputs with tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest
from helpers.tiny_encoders import tiny_model, write_encoder

from sentiment_edge import verify
from sentiment_edge.export import export_model
from sentiment_edge_runtimes.engines.telemetry import unreported
from sentiment_edge_runtimes.tokenization import TextTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.exports import Exports

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import EngineName


def read_onnx(path: Path) -> list[list[object]]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    types = {"tensor(int64)": "int64", "tensor(float)": "float32"}
    return [[each.name, types[each.type], len(each.shape)] for each in (*session.get_inputs(), *session.get_outputs())]


def read_ir(path: Path) -> list[list[object]]:
    with unreported():
        import openvino  # noqa: PLC0415
    model = openvino.Core().read_model(path)
    ports = (*model.inputs, *model.outputs)
    return [[each.any_name, each.element_type.to_dtype().name, each.partial_shape.rank.get_length()] for each in ports]


READERS: dict[EngineName, Callable[[Path], list[list[object]]]] = {"onnxruntime": read_onnx, "openvino": read_ir}
ENGINES = tuple(READERS)


@pytest.fixture(scope="module", params=["bert", "gru", "burn"])
def bundle(request: pytest.FixtureRequest, exports: Exports) -> Bundle:
    return exports(request.param, precision="int8", engines=ENGINES).bundle


def test_a_port_finds_what_it_needs_in_the_manifest(bundle: Bundle) -> None:
    manifest = json.loads((bundle.root / "manifest.json").read_text("utf-8"))
    assert manifest["padding_side"] == "right"
    assert {*manifest["models"]} == {*ENGINES}
    for model in manifest["models"].values():
        inputs = {each["name"]: (each["type"], each["shape"]) for each in model["inputs"]}
        outputs = {each["name"]: (each["type"], each["shape"]) for each in model["outputs"]}
        assert inputs == dict.fromkeys(("input_ids", "attention_mask"), ("int64", ["batch", "length"]))
        assert outputs["logits"] == ("float32", ["batch", len(manifest["labels"])])
        assert {*model["tolerance"]} == {"mean_drift", "max_drift"}
    for engine, read in READERS.items():
        model = manifest["models"][engine]
        stated = [[tensor["name"], tensor["type"], len(tensor["shape"])] for tensor in (*model["inputs"], *model["outputs"])]
        assert stated == read(bundle.model_path(engine))
    assert manifest["models"]["openvino"]["settings"]["DYNAMIC_QUANTIZATION_GROUP_SIZE"] == "0"


def test_tokens_can_be_made_without_this_package(bundle: Bundle) -> None:
    """By the rule in docs/bundle-format.md, from what tokenizer.json gives for the text alone."""
    manifest, tokenizer = bundle.manifest, TextTokenizer(bundle, 1)._tokenizer  # noqa: SLF001
    tokenizer.no_truncation()
    assert manifest.special_tokens is not None
    before, after = map(list, manifest.special_tokens)
    truncated = 0
    for line in (bundle.root / "golden.jsonl").read_text("utf-8").split("\n")[:-1]:
        row = json.loads(line)
        ids = [*before, *tokenizer.encode(row["text"], add_special_tokens=False).ids, *after]
        if len(ids) > manifest.max_length:
            truncated += 1
            kept = [] if manifest.truncation == "plain" else after
            ids = [*ids[: manifest.max_length - len(kept)], *kept]
        assert ids == row["ids"]
    assert truncated >= 2


def test_golden_outputs_are_small_and_true(bundle: Bundle) -> None:
    assert (bundle.root / "golden.jsonl").stat().st_size <= 200_000
    result = verify(bundle.root)
    assert result.passed, result.failures
    assert max(each.max_logit_difference for each in result.conditions if each.name == "where it was built") < np.float32(1e-6)


def test_golden_outputs_of_many_labels_stay_small(tmp_path: Path) -> None:
    labels = {number: f"label {number}" for number in range(60)}
    checkpoint = write_encoder(tmp_path / "many", tiny_model("bert", id2label=labels))
    bundle = export_model(str(checkpoint), output=tmp_path / "bundle").bundle
    rows = [json.loads(line) for line in (bundle.root / "golden.jsonl").read_text("utf-8").split("\n")[:-1]]
    assert (bundle.root / "golden.jsonl").stat().st_size <= 200_000
    assert len(rows) >= 100
    assert sum(len(row["ids"]) == bundle.manifest.max_length for row in rows) >= 2
    assert verify(bundle.root).passed


def test_golden_outputs_of_thousands_of_labels_are_few(tmp_path: Path) -> None:
    labels = {number: f"label {number}" for number in range(3000)}
    checkpoint = write_encoder(tmp_path / "many", tiny_model("bert", id2label=labels))
    bundle = export_model(str(checkpoint), output=tmp_path / "bundle").bundle
    assert (bundle.root / "golden.jsonl").stat().st_size < 400_000
    assert verify(bundle.root).passed
