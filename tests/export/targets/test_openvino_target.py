"""Bundles for OpenVINO, alone and beside ONNX Runtime: torch's answers on both, in every batch."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import openvino
import pytest
from helpers.exports import Exports
from helpers.invocation import invoke
from helpers.tiny_encoders import tiny_model, write_encoder

from sentiment_edge import load, verify
from sentiment_edge.export import (
    ExportError,
    ExportReport,
    GateOptions,
    GraphOptions,
    Int8Options,
    ParityError,
    export_model,
)
from sentiment_edge_export.targets import openvino as target
from sentiment_edge_runtimes.batching import pad
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.vocabulary import ENGINES, PRECISIONS, EngineName, Precision

TEXTS = ["good", "the film was not bad!", "it was a long long day, and not a good film. " * 3, "", "good film " * 9]


def export(exports: Exports, model: str, precision: Precision) -> ExportReport:
    """Both engines; in fp32 with the options that other tests share."""
    return exports(model, engines=ENGINES, **({"precision": "int8"} if precision == "int8" else {}))


@pytest.mark.parametrize("model", ["gru", "bert"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_both_engines_are_gated_and_give_the_same_answers(exports: Exports, model: str, precision: Precision) -> None:
    report = export(exports, model, precision)
    assert report.bundle.manifest.engines.keys() == {*ENGINES}
    assert report.parity.passed
    measured = {(each.engine, each.name) for each in report.parity.conditions if each.precision == precision}
    assert measured == {(engine, name) for engine in ENGINES for name in ("one by one", "mixed batches", "padded")}
    logits = [load(report.bundle.root, engine=engine).logits(TEXTS) for engine in ENGINES]
    assert np.abs(logits[0] - logits[1]).max() <= (1e-4 if precision == "fp32" else 0.3)
    checked = verify(report.bundle.root)
    assert checked.passed
    assert [each.engine for each in checked.conditions] == ["onnxruntime"] * 2 + ["openvino"] * 2


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gru_is_exact_for_every_row_of_a_mixed_batch(exports: Exports, precision: Precision) -> None:
    bundle = export(exports, "gru", precision).bundle
    engine = open_engine(bundle, "openvino", threads=2)
    generator = np.random.default_rng(0)
    rows = [generator.integers(1, 12, size).tolist() for size in (1, 2, 3, 7, 8, 19, 64, 128)]
    together = engine(*pad(rows, 128, bundle.manifest.pad_id))
    for row, ids in enumerate(rows):
        alone = engine(*pad([ids], len(ids), bundle.manifest.pad_id))
        assert np.abs(together.logits[row] - alone.logits[0]).max() <= 1e-6
        assert together.attention is not None
        assert alone.attention is not None
        assert np.abs(together.attention[row, : len(ids)] - alone.attention[0]).max() <= 1e-6


def test_the_manifest_says_how_each_engine_is_quantized(exports: Exports) -> None:
    def schemes(model: str, precision: Precision) -> dict[str, str]:
        manifest = json.loads((export(exports, model, precision).bundle.root / "manifest.json").read_text("utf-8"))
        assert "openvino" in manifest["built_with"]
        return {engine: recipe["scheme"] for engine, recipe in (manifest["quantization"] or {}).items()}

    assert schemes("bert", "int8") == {"onnxruntime": "per-token", "openvino": "static"}
    assert schemes("gru", "int8") == {"onnxruntime": "per-token", "openvino": "weight-only"}
    assert schemes("bert", "fp32") == {}


def test_int8_shrinks_the_weights(exports: Exports) -> None:
    fp32, int8 = (
        export(exports, "gru", precision).bundle.manifest.files["openvino/openvino_model.bin"] for precision in PRECISIONS
    )
    assert int8 < 0.5 * fp32


def test_fixed_shapes(exports: Exports) -> None:
    report = exports("bert", engines=ENGINES, graph=GraphOptions(fixed_length=16, fixed_batch=4))
    logits = [load(report.bundle.root, engine=engine).logits(TEXTS) for engine in ENGINES]
    assert report.parity.passed
    assert np.abs(logits[0] - logits[1]).max() <= 1e-4


def test_openvino_alone_fitted_to_texts_of_ones_own(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("good film\nnot a bad day, it was long\n")
    out = tmp_path / "out"
    arguments = ("export", "--model", checkpoints["bert"], "--engine", "openvino", "--int8", "--output", out)
    bounds = ("--max-mean-drift", "1", "--min-agreement", "0")
    done = invoke(*arguments, "--calibration", tmp_path / "mine.txt", *bounds, "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["engines"] == ["openvino"]
    assert not (out / "onnx").exists()
    assert invoke("verify", out).returncode == 0
    predicted = invoke("predict", out, stdin=b"good\n").stdout
    assert predicted == invoke("predict", out, "--engine", "openvino", stdin=b"good\n").stdout
    refused = invoke("predict", out, "--engine", "onnxruntime", stdin=b"good\n")
    assert refused.returncode == 1
    assert b"no model for onnxruntime in it, only for openvino" in refused.stderr


def test_calibration_that_the_gate_measures_too_is_refused(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "gate.txt").write_text("Not bad\n")
    flags = ("--engine", "openvino", "--int8", "--calibration", tmp_path / "gate.txt")
    done = invoke("export", "--model", checkpoints["bert"], *flags, "--output", tmp_path / "out")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert done.stderr.startswith(b"sentiment-edge: --calibration: ")
    assert b"among those that the gate measures" in done.stderr
    assert not (tmp_path / "out").exists()


def test_bfloat16_is_gated_like_int8_and_verified(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    graph = GraphOptions(inference_precision="bf16")
    if "bf16" not in cpu_features().features:
        with pytest.raises(ExportError, match="this CPU has no bfloat16"):
            export_model(str(checkpoints["bert"]), engines=ENGINES, graph=graph, output=tmp_path / "out")
        return
    report = export_model(str(checkpoints["bert"]), engines=ENGINES, graph=graph, output=tmp_path / "out")
    by_engine = {each.engine: each for each in report.parity.conditions if each.name == "one by one"}
    assert (by_engine["onnxruntime"].precision, by_engine["openvino"].precision) == ("fp32", "bf16")
    assert by_engine["openvino"].mean_drift <= 0.01
    assert verify(tmp_path / "out").passed


def test_a_bound_that_openvino_misses_refuses_the_bundle(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    strict: dict[str, Any] = {"int8": Int8Options(max_fp32_share=0), "gate": GateOptions(max_mean_drift=0)}
    with pytest.raises(ParityError) as refusal:
        export_model(str(checkpoints["bert"]), precision="int8", engines=["openvino"], output=tmp_path / "out", **strict)
    assert {each.engine for each in refusal.value.report.conditions} == {"openvino"}
    assert not [*tmp_path.iterdir()]


def test_an_operation_that_openvino_does_not_know_is_named(tmp_path: Path) -> None:
    value = ir.val("input_ids", ir.DataType.FLOAT, [2])
    node = ir.node("Unheard", [value], domain="nowhere")
    node.outputs[0].name, node.outputs[0].type, node.outputs[0].shape = "logits", value.type, value.shape
    model = ir.Model(ir.Graph([value], node.outputs, nodes=[node], opset_imports={"": 21, "nowhere": 1}), ir_version=10)
    with pytest.raises(ExportError, match="OpenVINO cannot take this model"):
        target.write(tmp_path, model, "fp32")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_used_encoder_survives_a_fork(exports: Exports, engine: EngineName) -> None:
    """In a process of its own: this one has threads of other libraries, which a fork would cut off."""
    folder = str(export(exports, "bert", "int8").bundle.root)
    program = (
        "import os, signal, sys; from sentiment_edge import load\n"
        f"classifier = load({folder!r}, engine={engine!r}, threads=2); classifier('good')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(600); classifier('good'); os._exit(0)\n"
        "sys.exit(os.waitpid(child, 0)[1] != 0)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)


def test_engines_in_the_other_order(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    report = export_model(str(checkpoints["gru"]), precision="int8", engines=ENGINES[::-1], output=tmp_path / "out")
    assert [*report.bundle.manifest.engines] == [*ENGINES[::-1]]
    assert verify(tmp_path / "out").passed


def test_several_threads_share_a_classifier(exports: Exports) -> None:
    classifier = load(export(exports, "bert", "int8").bundle.root, engine="openvino")
    expected = [classifier.logits([text]) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: classifier.logits([text]), TEXTS * 8))
    assert all(np.array_equal(logits, expected[at % len(TEXTS)]) for at, logits in enumerate(found))
    assert pickle.loads(pickle.dumps(classifier)).engine == "openvino"  # noqa: S301 - our own


def test_no_product_of_tokens_is_computed_as_a_convolution(tmp_path: Path) -> None:
    """OpenVINO's convolutions may go wrong where two threads prepare one at once. Only wide ones become any, with AVX-512."""
    wide = tiny_model("bert", hidden_size=96, intermediate_size=192, hidden_act="gelu")
    checkpoint = write_encoder(tmp_path / "checkpoint", wide)
    bundle = export_model(str(checkpoint), engines=["openvino"], output=tmp_path / "out").bundle
    settings = {"PERF_COUNT": True, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(bundle.model_path("openvino")), "CPU", settings)
    request = compiled.create_infer_request()
    ids = np.full((2, 16), 5, np.int64)
    request.infer({"input_ids": ids, "attention_mask": np.ones_like(ids)})
    kernels = {each.node_name: each.exec_type for each in request.profiling_info if each.node_type == "FullyConnected"}
    assert len(kernels) == 2 * 6 + 2  # of the encoder's layers, and two of one row for each text
    assert sum("conv" in kernel for kernel in kernels.values()) <= 1  # that of the first tokens' rows: too few to go wrong


def test_nothing_goes_over_the_network(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    program = (
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    assert event not in ('socket.connect', 'socket.getaddrinfo', 'urllib.Request'), (event, arguments)\n"
        "sys.addaudithook(refuse)\n"
        "from sentiment_edge import load\n"
        "from sentiment_edge.export import SourceOptions, export_model\n"
        f"export_model({str(checkpoints['gru'])!r}, engines=['openvino'], source=SourceOptions(offline=True), output={out!r})\n"
        f"load({out!r})('good')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
