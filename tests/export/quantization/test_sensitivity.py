"""int8 where it is hard: the worst weights go back to fp32, within a budget, or nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import pytest
import torch
from helpers.support import Command
from helpers.tiny_encoders import tiny_model, write_encoder
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from sentiment_edge import verify
from sentiment_edge.export import ExportError, GateOptions, export_model
from sentiment_edge_export.gate import affordable, fewest
from sentiment_edge_export.quantization.sensitivity import Sensitivity

if TYPE_CHECKING:
    from torch import Tensor

LAYERS = 2


def scale_channels(tensors: dict[str, Tensor], factor: float) -> None:
    """Make a few channels of each attention's values large, and what reads them small: the same function in fp32."""
    for name, tensor in tensors.items():
        if "v_lin" in name:
            tensor[:2] *= factor
        elif "attention.out_lin.weight" in name:
            tensor[:, :2] /= factor


@pytest.fixture
def with_outliers(tmp_path: Path) -> Path:
    model = tiny_model("distilbert")
    with torch.no_grad():
        scale_channels(dict(model.named_parameters()), 3000)
    return write_encoder(tmp_path / "outliers", model)


def test_the_worst_weights_go_back(with_outliers: Path, tmp_path: Path, command: Command) -> None:
    refused = command("export", "--model", with_outliers, "--int8", "--max-fp32-share", "0", "--output", tmp_path / "out")
    assert refused.returncode == 3
    assert not (tmp_path / "out").exists()
    report = export_model(str(with_outliers), precision="int8", output=tmp_path / "out")
    names = [f"model.distilbert.transformer.layer.{layer}.attention.out_lin.weight" for layer in range(LAYERS)]
    assert {each.weight for each in report.fp32} <= {*names} and report.fp32
    assert sum(each.share for each in report.fp32) <= 0.25
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert [*manifest["quantization"]["onnxruntime"]["fp32"]] == [
        {"weight": each.weight, "drift": each.drift, "share": each.share} for each in report.fp32
    ]
    graph = onnx.load(tmp_path / "out" / "onnx" / "model_quantized.onnx").graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    assert all(kinds[each.weight] == TensorProto.FLOAT for each in report.fp32)
    assert sum(node.op_type == "MatMulIntegerToFloat" for node in graph.node) == 6 * LAYERS - len(report.fp32)
    assert report.fp32[0].weight in (tmp_path / "out" / "README.md").read_text("utf-8")
    assert verify(tmp_path / "out").passed


def test_what_no_budget_helps_is_refused_with_the_ranking(with_outliers: Path, tmp_path: Path, command: Command) -> None:
    done = command("export", "--model", with_outliers, "--int8", "--max-fp32-share", "0.001", "--output", tmp_path / "out")
    assert (done.returncode, done.stdout) == (3, b"")
    ranking = done.stderr.decode().split("worst first")[1].splitlines()[1:]
    assert len(ranking) == 10
    assert "attention.out_lin.weight (drift 0." in ranking[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "gate",
    [GateOptions(agreement=1.5), GateOptions(mean_drift=-1), GateOptions(max_fp32_share=float("nan"))],
    ids=["share", "negative", "nan"],
)
def test_bounds_out_of_range_are_named(tmp_path: Path, gate: GateOptions) -> None:
    with pytest.raises(ExportError, match="must be from 0 to 1"):
        export_model("gru-mini", precision="int8", output=tmp_path / "out", gate=gate)


def test_the_users_bounds_decide_and_stay_with_the_bundle(tmp_path: Path, command: Command) -> None:
    export = ["export", "--model", "gru-mini", "--int8", "--max-fp32-share", "0", "--json"]
    refused = command(*export, "--max-mean-drift", "0.0001", "--output", tmp_path / "strict")
    assert refused.returncode == 3
    assert b"at most 0.0001 allowed" in refused.stderr
    done = command(*export, "--max-mean-drift", "0.005", "--max-logit-difference", "0.1", "--output", tmp_path / "out")
    bounds = json.loads(done.stdout)["parity"]["bounds"]
    assert (bounds["mean_drift"], bounds["logit_difference"]) == (0.005, 0.1)


def test_the_users_texts_are_measured_and_not_published(tmp_path: Path) -> None:
    gate = GateOptions(texts=tuple(f"my secret note number {index}" for index in range(30)))
    report = export_model("gru-mini", precision="int8", output=tmp_path / "out", gate=gate)
    assert [condition.texts for condition in report.parity.conditions[:3]] == [289] * 3
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.json*"))
    assert b"secret note" not in written


@given(st.integers(0, 200), st.integers(1, 250))
def test_the_fewest_are_found(most: int, needed: int) -> None:
    tried: list[int] = []

    def holds(count: int) -> bool:
        tried.append(count)
        return count >= needed

    found = fewest(most, holds)
    assert found == (needed if needed <= most else None)
    assert len(tried) <= 2 * (most.bit_length() + 1)


@given(st.lists(st.floats(0, 1), max_size=20), st.floats(0, 1))
def test_the_budget_is_kept(shares: list[float], budget: float) -> None:
    ranking = [Sensitivity(str(index), 1 - index / 100, share) for index, share in enumerate(shares)]
    chosen = affordable(ranking, budget)
    assert sum(each.share for each in chosen) <= budget + 1e-9
    assert [*chosen] == [each for each in ranking if each in chosen]
