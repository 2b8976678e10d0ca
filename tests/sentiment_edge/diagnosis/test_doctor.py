from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from helpers.openvino_bundle import add_openvino
from helpers.support import WITHOUT_OPENVINO, Command, edit_manifest, reseal

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.engines.saturation import products_saturate
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.threads import usable_cpus


def around(folder: Path, **variables: str) -> dict[str, str]:
    """The environment, with a cache of the test's own."""
    inherited = {name: value for name, value in os.environ.items() if name != "SENTIMENT_EDGE_ENGINE"}
    return {**inherited, "SENTIMENT_EDGE_CACHE": str(folder / "cache"), **variables}


def answer(command: Command, *arguments: str | Path, **options: Any) -> dict[str, Any]:
    done = command("doctor", *arguments, "--json", **options)
    assert (done.returncode, done.stderr) == (0, b"")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def reseal_all(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for name in manifest["files"]:
        reseal(folder, name)
    edit_manifest(folder, files={name: (folder / name).stat().st_size for name in manifest["files"]})


def test_the_machine_and_the_default_bundle(command: Command, tmp_path: Path) -> None:
    found = answer(command, env=around(tmp_path))
    cpu = cpu_features()
    assert found["cpu"] == {"name": cpu.name, "features": [*cpu.features], "int8_products": cpu.int8_products}
    assert (found["usable_cpus"], found["products_saturate"]) == (usable_cpus(), products_saturate())
    assert set(found["memory"]) == {"total", "limit", "available"}
    assert found["engines"]["onnxruntime"] == {"version": version("onnxruntime"), "install": None}
    assert found["cache"] == {"folder": str(tmp_path / "cache"), "writable": True}
    assert not (tmp_path / "cache").exists()
    bundle = found["bundle"]
    assert (bundle["bundle"], bundle["precision"], bundle["engines"]) == (str(DEFAULT_BUNDLE), "int8", ["onnxruntime"])
    assert (bundle["engine"], bundle["reason"]) == ("onnxruntime", "the bundle has a model for no other engine")
    assert (bundle["asked_by_environment"], bundle["problem"], bundle["timings"], bundle["refused"]) == (None, None, [], [])


def test_it_reads_well(command: Command, tmp_path: Path) -> None:
    done = command("doctor", env=around(tmp_path))
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode()
    assert f"\nusable CPUs     {usable_cpus()}\n" in shown
    assert f"\nonnxruntime     {version('onnxruntime')}\n" in shown
    assert f"\nbundle          {DEFAULT_BUNDLE}\n                gru-attention, int8, for onnxruntime\n" in shown
    assert "\nengine          onnxruntime, " in shown


def test_it_tells_whether_libraries_may_report(command: Command, tmp_path: Path) -> None:
    assert answer(command, env=around(tmp_path))["telemetry"] == {"off": True, "reason": None}
    shown = command("doctor", env=around(tmp_path)).stdout.decode()
    assert "\ntelemetry       off: no engine's library reports\n                set ORT_DISABLE_TELEMETRY=1 for " in shown
    reason = "ORT_DISABLE_TELEMETRY is '0'"
    wanted = around(tmp_path, ORT_DISABLE_TELEMETRY="0", HOME=str(tmp_path))
    assert answer(command, env=wanted)["telemetry"] == {"off": False, "reason": reason}
    assert f"\ntelemetry       may be sent: {reason}\n" in command("doctor", env=wanted).stdout.decode()


def test_two_engines_are_timed_and_the_choice_explained(command: Command, bundle_folder: Path, tmp_path: Path) -> None:
    add_openvino(bundle_folder)
    environment = around(tmp_path)
    bundle = answer(command, bundle_folder, env=environment)["bundle"]
    assert bundle["engines"] == ["onnxruntime", "openvino"]
    assert bundle["engine"] in bundle["engines"]
    assert all(set(timing["seconds"]) == {"onnxruntime", "openvino"} for timing in bundle["timings"])
    assert answer(command, bundle_folder, env=environment)["bundle"]["timings"] == bundle["timings"]
    shown = command("doctor", bundle_folder, env=environment).stdout.decode()
    assert f"engine          {bundle['engine']}, " in shown
    assert "\n1 x 16 tokens   onnxruntime " in shown
    told = answer(command, bundle_folder, env=around(tmp_path, SENTIMENT_EDGE_ENGINE="openvino"))["bundle"]
    assert (told["engine"], told["asked_by_environment"], told["timings"]) == ("openvino", "openvino", [])
    assert told["reason"] == "SENTIMENT_EDGE_ENGINE says so"


def test_an_engine_that_refuses_says_why(command: Command, bundle_folder: Path, tmp_path: Path) -> None:
    add_openvino(bundle_folder)
    graph = bundle_folder / "openvino/openvino_model.xml"
    graph.write_text(graph.read_text("utf-8").replace('"logits"', '"others"'), "utf-8")
    reseal_all(bundle_folder)
    bundle = answer(command, bundle_folder, env=around(tmp_path))["bundle"]
    assert (bundle["engine"], bundle["reason"]) == ("onnxruntime", "no other engine can run it here")
    assert len(bundle["refused"]) == 1
    assert "openvino_model.xml" in bundle["refused"][0]
    done = command("doctor", bundle_folder, env=around(tmp_path, SENTIMENT_EDGE_ENGINE="openvino"))
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"openvino_model.xml" in done.stderr


def test_what_is_not_installed_comes_with_the_command_that_installs_it(tmp_path: Path) -> None:
    program = [sys.executable, "-c", f"{WITHOUT_OPENVINO}from sentiment_edge.__main__ import main; main()", "doctor"]
    done = subprocess.run(program, capture_output=True, check=True, env=around(tmp_path))
    assert b"openvino        not installed: pip install 'sentiment-edge[openvino]'\n" in done.stdout


@pytest.mark.parametrize("command", ["doctor", "predict"])
@pytest.mark.parametrize("library", ["numpy", "tokenizers", "onnxruntime"])
def test_a_library_that_is_missing_is_one_line(library: str, command: str) -> None:
    """On a Python of 32 bits, which finds none to install, the line says so instead of what to install."""
    for first_lines, advice in (("", b"pip install "), ("sys.maxsize = 2**31 - 1\n", b"this Python has 32 bits (on ")):
        missing = f"import sys\n{first_lines}sys.modules[{library!r}] = None\n"
        program = [sys.executable, "-c", f"{missing}from sentiment_edge.__main__ import main; main()", command]
        done = subprocess.run(program, input=b"fine\n", capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
        assert done.stderr.startswith(f"sentiment-edge: {library} is not installed: ".encode() + advice)


def test_the_environment_may_ask_for_what_cannot_be(command: Command, tmp_path: Path) -> None:
    for asked, problem in (
        ("openvino", b"no model for openvino in it"),
        ("tensorflow", b"must be auto, onnxruntime or openvino"),
    ):
        done = command("doctor", env=around(tmp_path, SENTIMENT_EDGE_ENGINE=asked))
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
        assert problem in done.stderr
        assert f"environment     SENTIMENT_EDGE_ENGINE={asked}\nengine          none can run it\n" in done.stdout.decode()


def test_a_cache_that_cannot_be_written(command: Command, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    done = command("doctor", env=around(tmp_path))
    assert b"cannot be written, so nothing is remembered; set SENTIMENT_EDGE_CACHE" in done.stdout
    assert answer(command, env=around(tmp_path))["cache"]["writable"] is False


@pytest.mark.parametrize("broken", ["damaged", "missing"])
def test_a_broken_bundle_is_one_line(command: Command, bundle_folder: Path, broken: str) -> None:
    (bundle_folder / "tokenizer.json").unlink()
    done = command("doctor", bundle_folder if broken == "damaged" else bundle_folder / "nowhere")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
