"""The int8 graph: a GRU's weights, an encoder's products, and the bytes that ship with the package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from helpers.exports import Exports
from helpers.tiny_encoders import tiny_model, write_encoder
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from onnx import TensorProto, numpy_helper

from sentiment_edge.export import Int8Options, export_model
from sentiment_edge_export.quantization.fitting import quantize_symmetric
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.engines.loader import open_engine

if TYPE_CHECKING:
    from sentiment_edge.export import ExportReport


@pytest.fixture
def exported(exports: Exports) -> ExportReport:
    return exports("gru-mini", precision="int8")


@given(
    npst.arrays(np.float32, npst.array_shapes(min_dims=2, max_dims=3), elements=st.floats(-1e3, 1e3, width=32)),
    st.integers(0, 1),
)
def test_quantizing_rounds_to_half_a_step(weight: np.ndarray, axis: int) -> None:
    values, scales = quantize_symmetric(weight, axis)
    assert np.abs(values.astype(int)).max() <= 127
    assert np.all(np.abs(values * scales - weight) <= scales * 0.5001)
    assert scales.shape == tuple(1 if at == axis else size for at, size in enumerate(weight.shape))


def test_all_weights_lie_as_int8(exported: ExportReport) -> None:
    graph = onnx.load(exported.bundle.root / "onnx" / "model_quantized.onnx").graph
    sizes = {kind: sum(numpy_helper.to_array(t).size for t in graph.initializer if t.data_type == kind) for kind in (1, 3)}
    assert sizes[TensorProto.INT8] > 2_000_000
    assert sizes[TensorProto.FLOAT] < 0.02 * sizes[TensorProto.INT8]
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("GRU") == kinds.count("MatMulIntegerToFloat") == 1


def test_the_weights_of_the_gru_are_dequantized_at_load(exported: ExportReport, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    onnxruntime.InferenceSession(exported.bundle.root / "onnx" / "model_quantized.onnx", options)
    graph = onnx.load(tmp_path / "loaded.onnx").graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    (gru,) = (node for node in graph.node if node.op_type == "GRU")
    assert [kinds[name] for name in gru.input[1:3]] == [TensorProto.FLOAT] * 2
    assert sum(kind == TensorProto.INT8 for kind in kinds.values()) >= 2  # embedding and product stay


def test_the_report_covers_all_conditions(exported: ExportReport) -> None:
    *int8, fp32 = exported.parity.conditions
    assert [condition.name for condition in int8] == ["one by one", "mixed batches", "padded"]
    assert all(condition.precision == "int8" and condition.texts >= 200 for condition in int8)
    assert (fp32.name, fp32.precision) == ("one by one", "fp32")


def test_the_shipped_bundle_is_what_this_checkpoint_gives(exported: ExportReport) -> None:
    name = "onnx/model_quantized.onnx"
    assert (exported.bundle.root / name).read_bytes() == (DEFAULT_BUNDLE / name).read_bytes()


def test_the_same_input_gives_the_same_bytes(exported: ExportReport, tmp_path: Path) -> None:
    root = exported.bundle.root
    again = export_model("gru-mini", precision="int8", output=tmp_path / root.name).bundle.root
    for path in sorted(path for path in again.rglob("*") if path.is_file()):
        assert path.read_bytes() == (root / path.relative_to(again)).read_bytes(), path.name


class TestEncoder:
    @pytest.fixture(scope="class")
    @classmethod
    def wide(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        model = tiny_model("bert", hidden_size=64, intermediate_size=128, num_hidden_layers=1)
        with torch.no_grad():
            model.get_parameter("classifier.bias").add_(torch.tensor([3.0, -3.0]))  # random logits tie too often for a gate
        return write_encoder(tmp_path_factory.mktemp("encoders") / "wide", model)

    @pytest.fixture(scope="class")
    @classmethod
    def quantized(cls, wide: Path) -> ExportReport:
        return export_model(str(wide), precision="int8", output=wide.parent / "int8")

    def test_every_product_is_int8_and_q_k_and_v_share_a_quantization(self, quantized: ExportReport) -> None:
        graph = onnx.load(quantized.bundle.root / "onnx" / "model_quantized.onnx").graph
        kinds = [node.op_type for node in graph.node]
        assert kinds.count("MatMulIntegerToFloat") == 6
        products = [node for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
        assert len({node.input[0] for node in products}) == 5  # K and V share theirs; Q is needed of the first token only
        assert "MatMul" not in kinds

    def test_an_answer_does_not_depend_on_its_neighbours(self, quantized: ExportReport) -> None:
        assert quantized.parity.batch_difference <= 1e-5
        engine = open_engine(quantized.bundle, "onnxruntime", threads=2)
        ids = np.random.default_rng(0).integers(4, 22, (9, 24))
        mask = np.ones_like(ids)
        together = engine(ids, mask).logits
        alone = np.concatenate([engine(ids[[row]], mask[[row]]).logits for row in range(9)])
        assert np.abs(together - alone).max() <= 1e-5

    def test_the_classical_scheme_for_comparison(self, wide: Path, tmp_path: Path) -> None:
        report = export_model(str(wide), precision="int8", int8=Int8Options("per-tensor"), output=tmp_path / "out")
        graph = onnx.load(report.bundle.root / "onnx" / "model_quantized.onnx").graph
        assert sum(node.op_type == "DynamicQuantizeLinear" for node in graph.node) == 5
        assert report.parity.batch_difference > 1e-4
        manifest = json.loads((report.bundle.root / "manifest.json").read_text("utf-8"))
        assert manifest["quantization"]["onnxruntime"]["scheme"] == "per-tensor"
