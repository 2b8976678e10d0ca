"""int8 where it is hard: the worst weights go back to fp32, within a budget, or nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import pytest
import torch
from helpers.invocation import invoke
from helpers.tiny_encoders import tiny_model, write_encoder
from onnx import TensorProto

from sentiment_edge import verify
from sentiment_edge.export import export_model

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


def test_the_worst_weights_go_back(with_outliers: Path, tmp_path: Path) -> None:
    refused = invoke("export", "--model", with_outliers, "--int8", "--max-fp32-share", "0", "--output", tmp_path / "out")
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


def test_what_no_budget_helps_is_refused_with_the_ranking(with_outliers: Path, tmp_path: Path) -> None:
    done = invoke("export", "--model", with_outliers, "--int8", "--max-fp32-share", "0.001", "--output", tmp_path / "out")
    assert (done.returncode, done.stdout) == (3, b"")
    ranking = done.stderr.decode().split("worst first")[1].splitlines()[1:]
    assert len(ranking) == 10
    assert "attention.out_lin.weight (drift 0." in ranking[0]
    assert not (tmp_path / "out").exists()
