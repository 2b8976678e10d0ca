"""Static int8 in ONNX Runtime: scales from calibration, gated like any int8; refused where there is nothing to calibrate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from helpers.invocation import invoke
from helpers.tiny_encoders import LAYERS, tiny_model, write_encoder
from onnx import numpy_helper

from sentiment_edge import load, verify
from sentiment_edge.export import ExportReport, GateOptions, GraphOptions, Int8Options, ParityError, export_model
from sentiment_edge_runtimes.engines import onnxruntime as onnxruntime_engine
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.errors import OptionError

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.exports import Exports

STATIC = Int8Options("static", max_fp32_share=0)
WIDE = GateOptions(min_agreement=0.5, max_mean_drift=0.1)
"""Bounds for tiny models of random weights, which are harder to quantize than any trained one."""
OF_TOKENS = {"ReduceMax", "ReduceMin", "Abs", "Clip", "Sum", "DynamicQuantizeLinear"}
"""Nodes that find or apply a scale for each token, or for the batch."""
TEXTS = ["good", "the film was not bad!", "it was a long long day, and not a good film. " * 3, "", "good film " * 9]


@pytest.fixture
def quantized(exports: Exports) -> ExportReport:
    return exports("bert", precision="int8", int8=STATIC, gate=WIDE)


def graph_of(report: ExportReport) -> onnx.GraphProto:
    return onnx.load(report.bundle.root / "onnx" / "model_quantized.onnx").graph


def test_it_passes_the_gate_and_the_bundle_says_how_it_is_quantized(quantized: ExportReport) -> None:
    assert quantized.parity.passed
    manifest = json.loads((quantized.bundle.root / "manifest.json").read_text("utf-8"))
    recipe = manifest["quantization"]["onnxruntime"]
    assert (recipe["scheme"], recipe["activations"], [*manifest["engines"]]) == ("static", "uint8", ["onnxruntime"])
    assert quantized.bundle.manifest.static_engines == {"onnxruntime"}
    assert verify(quantized.bundle.root).passed


def test_what_products_read_is_quantized_once_by_constants(quantized: ExportReport) -> None:
    graph = graph_of(quantized)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    quantizations = {node.output[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    made = [node for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
    read = {node.input[0] for node in made}
    assert read == {*quantizations}
    assert len(made) > len(read)  # Q, K and V share one
    assert len({node.input[0] for node in quantizations.values()}) == len(quantizations)
    for node in made:
        _, _, scale, scales, zero, *more = node.input  # then no zero point of the matrix, and the bias
        assert constants[scale].shape == constants[zero].shape == ()
        assert [scale, zero] == quantizations[node.input[0]].input[1:]
        assert not more or (not more[0] and constants[more[1]].shape == constants[scales].shape)
    assert sum(len(node.input) > 5 for node in made) >= 2 * LAYERS  # attention adds Q's, K's and V's itself
    kinds = {node.op_type for node in graph.node}
    assert not kinds & (OF_TOKENS | {"DequantizeLinear", "MatMul"})


def test_it_takes_fewer_nodes_than_per_token(exports: Exports, quantized: ExportReport) -> None:
    per_token = graph_of(exports("bert", precision="int8", int8=Int8Options(max_fp32_share=0), gate=WIDE))
    assert len(graph_of(quantized).node) < 0.6 * len(per_token.node)


def test_a_text_gets_the_same_answer_in_any_batch(quantized: ExportReport) -> None:
    classifier = load(quantized.bundle.root)
    alone = np.concatenate([classifier.logits([text]) for text in TEXTS])
    assert np.abs(classifier.logits(TEXTS * 3)[-len(TEXTS) :] - alone).max() <= 1e-5


def test_kernels_for_products_that_saturate_give_the_same(quantized: ExportReport, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.random.default_rng(0).integers(4, 20, (3, 24))
    expected = open_engine(quantized.bundle, "onnxruntime", threads=1)(ids, np.ones_like(ids)).logits
    monkeypatch.setattr(onnxruntime_engine, "products_saturate", lambda: True)
    exact = open_engine(quantized.bundle, "onnxruntime", threads=1)(ids, np.ones_like(ids)).logits
    assert np.abs(exact - expected).max() <= 1e-5


def test_both_engines_can_be_static(exports: Exports) -> None:
    pytest.importorskip("openvino", reason="needs the extra export-openvino")
    report = exports("bert", precision="int8", engines=["onnxruntime", "openvino"], int8=STATIC, gate=WIDE)
    assert report.bundle.manifest.static_engines == {"onnxruntime", "openvino"}
    logits = [load(report.bundle.root, engine=engine).logits(TEXTS) for engine in report.bundle.manifest.engines]
    assert np.abs(logits[0] - logits[1]).max() <= 0.3


@pytest.mark.parametrize("family", ["distilbert", "albert", "modernbert"])
def test_other_encoders(tmp_path: Path, family: str) -> None:
    checkpoint = write_encoder(tmp_path / family, tiny_model(family))
    report = export_model(str(checkpoint), precision="int8", int8=STATIC, gate=WIDE, output=tmp_path / "out")
    graph = graph_of(report)
    constants = {tensor.name for tensor in graph.initializer}
    quantizations = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    assert len(quantizations) >= LAYERS
    assert all({*node.input[1:]} <= constants for node in quantizations)
    assert verify(tmp_path / "out").passed


def test_fixed_shapes_with_attention_in_its_parts(exports: Exports) -> None:
    fixed = GraphOptions(fixed_length=16, fixed_batch=2, fusion=False)
    report = exports("bert", precision="int8", int8=STATIC, gate=WIDE, graph=fixed)
    kinds = [node.op_type for node in graph_of(report).node]
    assert kinds.count("QuantizeLinear") >= 2 * LAYERS
    assert load(report.bundle.root).logits(TEXTS).shape == (len(TEXTS), 2)


class TestBackOff:
    def test_the_worst_weights_return_to_fp32_and_the_card_names_them(self, exports: Exports) -> None:
        whole = exports("bert", precision="int8", int8=STATIC, gate=WIDE).parity.conditions[0].mean_drift
        gate = GateOptions(max_mean_drift=0.6 * whole, min_agreement=0)
        report = exports("bert", precision="int8", int8=Int8Options("static", max_fp32_share=0.9), gate=gate)
        assert report.fp32
        assert report.parity.conditions[0].mean_drift <= 0.6 * whole
        recipe = report.bundle.manifest.quantization["onnxruntime"]
        assert [each.weight for each in recipe.fp32] == [each.weight for each in report.fp32]
        card = (report.bundle.root / "README.md").read_text("utf-8")
        assert f"In fp32 for onnxruntime, because int8 changed the answers too much: `{report.fp32[0].weight}`" in card

    def test_without_a_budget_it_is_refused(self, checkpoints: dict[str, Path], tmp_path: Path) -> None:
        strict: dict[str, Any] = {"int8": Int8Options("static", max_fp32_share=0), "gate": GateOptions(max_mean_drift=0)}
        with pytest.raises(ParityError, match="mean drift"):
            export_model(str(checkpoints["bert"]), precision="int8", output=tmp_path / "out", **strict)
        assert not [*tmp_path.iterdir()]


class TestRefused:
    def test_nothing_can_be_calibrated_in_a_gru(self, checkpoints: dict[str, Path], tmp_path: Path) -> None:
        with pytest.raises(OptionError) as refusal:
            export_model(str(checkpoints["gru"]), precision="int8", int8=STATIC, output=tmp_path / "out")
        assert refusal.value.option == "quantization"
        assert str(refusal.value) == "`quantization`: static scales need calibration, and gru-attention has none; leave it out"
        assert not [*tmp_path.iterdir()]

    def test_the_command_line_names_the_flag(self, checkpoints: dict[str, Path], tmp_path: Path) -> None:
        flags = ("--int8", "--quantization", "static", "--output", tmp_path / "out")
        done = invoke("export", "--model", checkpoints["gru"], *flags)
        assert (done.returncode, done.stdout) == (2, b"")
        reason = "static scales need calibration, and gru-attention has none; leave it out"
        assert done.stderr.decode() == f"sentiment-edge: --quantization: {reason}\n"

    def test_openvino_alone_has_no_choice(self) -> None:
        with pytest.raises(OptionError, match="it is for onnxruntime and does nothing for openvino; leave it out"):
            export_model("owner/name", precision="int8", engines=["openvino"], int8=STATIC)


class TestCalibration:
    def export(self, checkpoint: Path, folder: Path, *flags: str | Path) -> Any:
        fixed = ("--int8", "--quantization", "static", "--output", folder / "out")
        bounds = ("--max-mean-drift", "1", "--min-agreement", "0")
        return invoke("export", "--model", checkpoint, *fixed, *bounds, *flags)

    def test_own_texts_move_the_scales(self, checkpoints: dict[str, Path], quantized: ExportReport, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("good film\nnot a bad day, it was long\n")
        done = self.export(checkpoints["bert"], tmp_path, "--calibration", tmp_path / "mine.txt", "--json")
        assert done.returncode == 0, done.stderr.decode()
        assert json.loads(done.stdout)["engines"] == ["onnxruntime"]
        scales = [
            {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.name.endswith("_step")}
            for graph in (graph_of(quantized), onnx.load(tmp_path / "out/onnx/model_quantized.onnx").graph)
        ]
        assert scales[0].keys() == scales[1].keys()
        assert any(scales[0][name] != scales[1][name] for name in scales[0])
        assert invoke("verify", tmp_path / "out").returncode == 0
        assert invoke("predict", tmp_path / "out", stdin=b"good\n").returncode == 0

    @pytest.mark.parametrize(
        ("contents", "problem"),
        [
            (b"", "no text"),
            (b"\n\n", "no text"),
            (b"\xff\xfe\x00", "not"),
            (b"Not bad\n", "among those that the gate measures"),
        ],
    )
    def test_a_file_that_is_no_calibration(
        self, checkpoints: dict[str, Path], tmp_path: Path, contents: bytes, problem: str
    ) -> None:
        (tmp_path / "mine.txt").write_bytes(contents)
        done = self.export(checkpoints["bert"], tmp_path, "--calibration", tmp_path / "mine.txt")
        assert done.returncode != 0
        assert (done.stdout, done.stderr.count(b"\n")) == (b"", 1)
        assert problem in done.stderr.decode()
        assert not (tmp_path / "out").exists()

    def test_a_file_that_is_not_there(self, checkpoints: dict[str, Path], tmp_path: Path) -> None:
        done = self.export(checkpoints["bert"], tmp_path, "--calibration", tmp_path / "none.txt")
        assert done.returncode != 0
        assert b"none.txt" in done.stderr
        assert not (tmp_path / "out").exists()
