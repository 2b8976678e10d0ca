from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from onnx import TensorProto, numpy_helper

from sentiment_edge.export import export_model
from sentiment_edge_export.quantization.fitting import quantize_symmetric
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from sentiment_edge.export import ExportReport


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return export_model("gru-mini", precision="int8", output=tmp_path_factory.mktemp("int8") / "out")


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
    again = export_model("gru-mini", precision="int8", output=tmp_path / "out").bundle.root
    for path in sorted(path for path in again.rglob("*") if path.is_file()):
        assert path.read_bytes() == (exported.bundle.root / path.relative_to(again)).read_bytes(), path.name
