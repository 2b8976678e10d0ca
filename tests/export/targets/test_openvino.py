"""Bundles for OpenVINO, alone and beside ONNX Runtime: torch's answers on both, in every batch, whatever the cache holds."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from helpers.support import WITHOUT_OPENVINO, Command, edit_manifest, reseal
from helpers.tiny_checkpoints import tiny_weights, write_checkpoint
from helpers.tiny_encoders import tiny_model, write_encoder

from sentiment_edge import EngineError, load, verify
from sentiment_edge.export import ExportError, ExportReport, GateOptions, ParityError, export_model
from sentiment_edge_export.targets import openvino as target
from sentiment_edge_runtimes.batching import pad
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.engines import saturation, selection
from sentiment_edge_runtimes.engines.engine import open_engine
from sentiment_edge_runtimes.engines.selection import choose
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.vocabulary import EngineName

BOTH: tuple[EngineName, ...] = ("onnxruntime", "openvino")
TEXTS = ["good", "the film was not bad!", "it was a long long day, and not a good film. " * 3, "", "good film " * 9]
IR = "openvino/openvino_model.xml"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    gru = write_checkpoint(folder / "gru", tiny_weights(n_layers=2), n_layers=2, hidden_dim=20)
    return {"gru": gru, "bert": write_encoder(folder / "bert", tiny_model("bert"))}


@pytest.fixture(scope="module")
def reports(checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExportReport]:
    folder = tmp_path_factory.mktemp("bundles")
    return {
        f"{name}-{precision}": export_model(
            str(checkpoint),
            precision=precision,
            engines=BOTH,
            output=folder / f"{name}-{precision}",
        )
        for name, checkpoint in checkpoints.items()
        for precision in ("fp32", "int8")
    }


@pytest.fixture
def bundle(reports: dict[str, ExportReport], tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(reports["bert-int8"].bundle.root, tmp_path / "bundle"))


@pytest.mark.parametrize("name", ["gru-fp32", "gru-int8", "bert-fp32", "bert-int8"])
def test_both_engines_are_gated_and_give_the_same_answers(reports: dict[str, ExportReport], name: str) -> None:
    report = reports[name]
    assert report.bundle.manifest.engines.keys() == {*BOTH}
    assert report.parity.passed
    measured = {
        (each.engine, each.name) for each in report.parity.conditions if each.precision == report.bundle.manifest.precision
    }
    assert measured == {(engine, name) for engine in BOTH for name in ("one by one", "mixed batches", "padded")}
    logits = [load(report.bundle.root, engine=engine).logits(TEXTS) for engine in BOTH]
    assert np.abs(logits[0] - logits[1]).max() <= (1e-4 if "fp32" in name else 0.3)
    checked = verify(report.bundle.root)
    assert checked.passed
    assert [each.engine for each in checked.conditions] == ["onnxruntime"] * 2 + ["openvino"] * 2


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_gru_is_exact_for_every_row_of_a_mixed_batch(reports: dict[str, ExportReport], precision: str) -> None:
    bundle = reports[f"gru-{precision}"].bundle
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


def test_the_manifest_says_how_each_engine_is_quantized(reports: dict[str, ExportReport]) -> None:
    def schemes(name: str) -> dict[str, str]:
        manifest = json.loads((reports[name].bundle.root / "manifest.json").read_text("utf-8"))
        assert "openvino" in manifest["built_with"]
        return {engine: recipe["scheme"] for engine, recipe in (manifest["quantization"] or {}).items()}

    assert schemes("bert-int8") == {"onnxruntime": "per-token", "openvino": "static"}
    assert schemes("gru-int8") == {"onnxruntime": "per-token", "openvino": "stored"}
    assert schemes("bert-fp32") == {}


def test_int8_shrinks_the_weights(reports: dict[str, ExportReport]) -> None:
    sizes = [reports[f"gru-{precision}"].bundle.manifest.files["openvino/openvino_model.bin"] for precision in ("int8", "fp32")]
    assert sizes[0] < 0.5 * sizes[1]


def test_openvino_alone(checkpoints: dict[str, Path], tmp_path: Path, command: Command) -> None:
    out = tmp_path / "out"
    done = command("export", "--model", checkpoints["bert"], "--engine", "openvino", "--int8", "--json", "--output", out)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["engines"] == ["openvino"]
    assert not (out / "onnx").exists()
    assert command("verify", out).returncode == 0
    predicted = command("predict", out, stdin=b"good\n").stdout
    assert predicted == command("predict", out, "--engine", "openvino", stdin=b"good\n").stdout
    refused = command("predict", out, "--engine", "onnxruntime", stdin=b"good\n")
    assert refused.returncode == 1
    assert b"no model for onnxruntime in it, only for openvino" in refused.stderr


def test_fixed_shapes(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    fixed = {"fixed_length": 24, "fixed_batch": 2}
    report = export_model(str(checkpoints["bert"]), engines=BOTH, output=tmp_path / "out", **fixed)  # type: ignore[arg-type]
    logits = [load(tmp_path / "out", engine=engine).logits(TEXTS) for engine in BOTH]
    assert report.parity.passed
    assert np.abs(logits[0] - logits[1]).max() <= 1e-4


def test_bfloat16_is_gated_like_int8_and_verified(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    if "bf16" not in cpu_features().features:
        with pytest.raises(ExportError, match="this CPU has no bfloat16"):
            export_model(str(checkpoints["bert"]), engines=BOTH, inference_precision="bf16", output=tmp_path / "out")
        return
    report = export_model(str(checkpoints["bert"]), engines=BOTH, inference_precision="bf16", output=tmp_path / "out")
    by_engine = {each.engine: each for each in report.parity.conditions if each.name == "one by one"}
    assert (by_engine["onnxruntime"].precision, by_engine["openvino"].precision) == ("fp32", "bf16")
    assert by_engine["openvino"].mean_drift <= 0.01
    assert verify(tmp_path / "out").passed
    with pytest.raises(ExportError, match="OpenVINO only"):
        export_model(str(checkpoints["bert"]), inference_precision="bf16", output=tmp_path / "other")


def test_int8_is_fitted_to_texts_of_ones_own(checkpoints: dict[str, Path], tmp_path: Path, command: Command) -> None:
    (tmp_path / "mine.txt").write_text("good film\nnot a bad day, it was long\n")
    export = [
        "export",
        "--model",
        str(checkpoints["bert"]),
        "--int8",
        "--engine",
        "openvino",
        "--output",
        str(tmp_path / "out"),
    ]
    done = command(*export, "--calibration", tmp_path / "mine.txt", "--max-mean-drift", "1", "--min-agreement", "0")
    assert done.returncode == 0, done.stderr.decode()
    (tmp_path / "gate.txt").write_text("Not bad\n")
    done = command(*export, "--calibration", tmp_path / "gate.txt", "--overwrite")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"among those that the gate measures" in done.stderr


def test_a_bound_that_openvino_misses_refuses_the_bundle(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    strict = GateOptions(mean_drift=0, max_fp32_share=0)
    with pytest.raises(ParityError) as refusal:
        export_model(str(checkpoints["bert"]), precision="int8", engines=["openvino"], gate=strict, output=tmp_path / "out")
    assert {each.engine for each in refusal.value.report.conditions} == {"openvino"}
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("engines", [["abacus"], [], "openvino"])
def test_engines_that_are_none(checkpoints: dict[str, Path], tmp_path: Path, engines: list[EngineName]) -> None:
    with pytest.raises(ExportError, match="engines must be"):
        export_model(str(checkpoints["bert"]), engines=engines, output=tmp_path / "out")


def test_an_engine_that_the_command_line_does_not_know(command: Command) -> None:
    done = command("export", "--model", "gru-mini", "--engine", "abacus")
    assert done.returncode == 2
    assert b"--engine abacus: it is one of onnxruntime, openvino" in done.stderr


def test_an_operation_that_openvino_does_not_know_is_named(tmp_path: Path) -> None:
    value = ir.val("input_ids", ir.DataType.FLOAT, [2])
    node = ir.node("Unheard", [value], domain="nowhere")
    node.outputs[0].name, node.outputs[0].type, node.outputs[0].shape = "logits", value.type, value.shape
    model = ir.Model(ir.Graph([value], node.outputs, nodes=[node], opset_imports={"": 21, "nowhere": 1}), ir_version=10)
    with pytest.raises(ExportError, match="OpenVINO cannot take this model"):
        target.write(tmp_path, model, "fp32")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("engine", BOTH)
def test_a_used_encoder_survives_a_fork(reports: dict[str, ExportReport], engine: EngineName) -> None:
    """In a process of its own: this one has threads of other libraries, which a fork would cut off."""
    program = (
        "import os, signal, sys; from sentiment_edge import load\n"
        f"classifier = load({str(reports['bert-int8'].bundle.root)!r}, engine={engine!r}, threads=2); classifier('good')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(60); classifier('good'); os._exit(0)\n"
        "sys.exit(os.waitpid(child, 0)[1] != 0)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)


def test_engines_in_the_other_order(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    report = export_model(str(checkpoints["gru"]), precision="int8", engines=BOTH[::-1], output=tmp_path / "out")
    assert [*report.bundle.manifest.engines] == [*BOTH[::-1]]
    assert verify(tmp_path / "out").passed


def test_several_threads_share_a_classifier(reports: dict[str, ExportReport]) -> None:
    classifier = load(reports["bert-int8"].bundle.root, engine="openvino")
    expected = [classifier.logits([text]) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: classifier.logits([text]), TEXTS * 8))
    assert all(np.array_equal(logits, expected[at % len(TEXTS)]) for at, logits in enumerate(found))
    assert pickle.loads(pickle.dumps(classifier)).engine == "openvino"  # noqa: S301 - our own


class TestChoosing:
    def test_the_first_use_times_both_and_later_ones_remember(
        self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path / "cache"))
        opened = Bundle.open(bundle)
        first = choose(opened, "auto", 2)
        assert all(timing.seconds.keys() == {*BOTH} for timing in first.timings)
        assert len(first.timings) > 1
        monkeypatch.setattr(selection, "open_engine", None)  # whoever times again fails
        assert choose(opened, "auto", 2) == first
        assert load(bundle, threads=2).engine == first.engine

    @pytest.mark.parametrize("engine", BOTH)
    def test_it_can_be_told(self, bundle: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName) -> None:
        monkeypatch.setenv("SENTIMENT_EDGE_ENGINE", engine)
        assert load(bundle).engine == engine
        assert load(bundle, engine="onnxruntime").engine == "onnxruntime"

    @pytest.mark.parametrize("spoilt", [b"", b"nonsense", None])
    def test_a_damaged_cache_is_made_anew(
        self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: bytes | None
    ) -> None:
        monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path / "cache"))
        expected = load(bundle, engine="openvino").logits(TEXTS)
        assert choose(Bundle.open(bundle), "auto", 2).timings
        files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        assert len(files) >= 2
        intact = {path: path.read_bytes() for path in files}
        for path, contents in intact.items():
            path.write_bytes(contents[:-1] + bytes([contents[-1] ^ 1]) if spoilt is None else spoilt)
        assert np.array_equal(load(bundle, engine="openvino").logits(TEXTS), expected)
        assert choose(Bundle.open(bundle), "auto", 2).timings
        assert all(path.read_bytes()[:64] != (spoilt or b"")[:64] for path in files)

    def test_a_cache_that_cannot_be_written_does_no_harm(
        self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("not a folder")
        monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path / "file"))
        assert load(bundle).logits(TEXTS).shape == (len(TEXTS), 2)

    def test_processes_that_start_at_once(self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path / "cache"))
        program = [sys.executable, "-m", "sentiment_edge", "predict", str(bundle), "--engine", "openvino"]
        running = [subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
        outputs = [process.communicate(b"good\nbad\n")[0] for process in running]
        assert len({*outputs}) == 1
        assert outputs[0].count(b"\n") == 2

    def test_products_that_saturate_leave_it_to_onnxruntime(
        self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(saturation, "products_saturate", lambda: True)
        choice = choose(Bundle.open(bundle), "auto", 1)
        assert choice.engine == "onnxruntime"
        assert "saturate" in choice.refused[0]
        with pytest.raises(EngineError, match="use onnxruntime"):
            load(bundle, engine="openvino")("good")
        checked = verify(bundle)
        assert {each.engine for each in checked.conditions} == {"onnxruntime"}
        assert "saturate" in checked.refused[0]


def test_without_openvino_the_bundle_runs_on_the_other_engine(bundle: Path) -> None:
    program = f"{WITHOUT_OPENVINO}from sentiment_edge import load\n"
    print_engine = f"print(load({str(bundle)!r}).engine)"
    done = subprocess.run([sys.executable, "-c", program + print_engine], capture_output=True, text=True, check=True)
    assert done.stdout == "onnxruntime\n"
    asked = f"load({str(bundle)!r}, engine='openvino')('good')"
    done = subprocess.run([sys.executable, "-c", program + asked], capture_output=True, text=True, check=False)
    assert "pip install 'sentiment-edge[openvino]'" in done.stderr.splitlines()[-1]


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
    edit_manifest(bundle, engines={"openvino": "config.json"})
    with pytest.raises(EngineError, match="not in a format that OpenVINO"):
        load(bundle)("good")


def test_nothing_goes_over_the_network(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    program = (
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    assert event not in ('socket.connect', 'socket.getaddrinfo', 'urllib.Request'), (event, arguments)\n"
        "sys.addaudithook(refuse)\n"
        "from sentiment_edge import load\n"
        "from sentiment_edge.export import export_model\n"
        f"export_model({str(checkpoints['gru'])!r}, engines=['openvino'], offline=True, output={out!r})\n"
        f"load({out!r})('good')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
