"""The output of `bench`. No figure is held against a bound: only their names, order and signs."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from helpers.openvino_bundle import add_openvino
from helpers.support import Command, edit_manifest

from sentiment_edge.benchmark.cold_start import ColdStart
from sentiment_edge.benchmark.latency import Latency
from sentiment_edge.benchmark.result import BenchmarkReport, BenchmarkResult
from sentiment_edge.benchmark.subjects import Subject
from sentiment_edge.benchmark.throughput import Throughput
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.machine.clock import Clock, cpu_clock
from sentiment_edge_runtimes.machine.system import PYTHON_BITS, system_name
from sentiment_edge_runtimes.machine.threads import usable_cpus

QUICK = ("--seconds", "0.2")
HAS_PLOT = importlib.util.find_spec("matplotlib") is not None
WITHOUT = """
import sys
sys.modules[{module!r}] = None
from sentiment_edge.__main__ import main
main()
"""


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("SENTIMENT_EDGE_ENGINE", raising=False)


def answer(command: Command, *arguments: str | Path) -> dict[str, Any]:
    done = command("bench", *arguments, *QUICK, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def without(module: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-c", WITHOUT.format(module=module), "bench", *arguments]
    return subprocess.run(program, capture_output=True, check=False)


def test_the_default_bundle_with_one_thread_and_with_all(command: Command) -> None:
    found = answer(command)
    machine = {"sentiment_edge", "python", "python_bits", "system", "cpu", "features", "usable_cpus", "memory", "load", "clock"}
    assert set(found) == {*machine, "engines", "input", "results", "torch"}
    assert (found["usable_cpus"], found["input"], found["torch"]) == (usable_cpus(), None, None)
    assert (found["python_bits"], set(found["clock"])) == (PYTHON_BITS, {*Clock._fields})
    assert [each["threads"] for each in found["results"]] == [*dict.fromkeys((1, usable_cpus()))]
    for each in found["results"]:
        assert (each["bundle"], each["precision"], each["engine"]) == (str(DEFAULT_BUNDLE), "int8", "onnxruntime")
        assert [latency["tokens"] for latency in each["latency"]] == [16, 32, 64, 128]
        for latency in each["latency"]:
            assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"]
            assert latency["runs"] >= 3
            assert latency["times_torch"] is None
        assert 0 <= each["throughput"].pop("padding") < 1
        assert min(each["throughput"].values()) > 0
        assert set(each["throughput"]) == {"lines", "passes", "lines_per_second"}
        assert each["cold_start"]["processes"] >= 1
        assert each["cold_start"]["seconds"] > 0
        assert each["cold_start"]["peak_memory"] is None or each["cold_start"]["peak_memory"] > 2**20


def test_it_reads_well_and_draws(command: Command, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("I loved it.\n\n   \nDreadful.\n")
    picture = ("--png", tmp_path / "picture.png") if HAS_PLOT else ()
    done = command("bench", "--threads", "1", "--input", tmp_path / "lines", *picture, *QUICK)
    assert done.returncode == 0, done.stderr
    machine, latencies, totals = (block.split("\n") for block in done.stdout.decode().rstrip().split("\n\n"))
    assert f", usable CPUs {usable_cpus()}" in machine[0]
    assert machine[1].startswith(f"{system_name()}, Python {platform.python_version()} ({PYTHON_BITS}-bit), sentiment-edge ")
    assert f"onnxruntime {version('onnxruntime')}" in machine[1]
    assert latencies[0] == "one text, the model alone, ms"
    assert latencies[1].split() == ["bundle", "precision", "engine", "threads", "tokens", "p50", "p90", "p99"]
    assert [row.split()[:5] for row in latencies[2:]] == [
        ["gru-mini-int8", "int8", "onnxruntime", "1", str(tokens)] for tokens in (16, 32, 64, 128)
    ]
    assert totals[1].split(maxsplit=5)[4:] == ["lines/s", "padding  cold start, ms  peak memory, MB"]
    assert len(totals) == 3
    if HAS_PLOT:
        assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} <= {"lines", "picture.png"}


def test_engines_and_precisions_side_by_side(command: Command, bundle_folder: Path) -> None:
    add_openvino(bundle_folder)
    edit_manifest(bundle_folder, max_length=24, lengths=[24])
    found = answer(command, bundle_folder, DEFAULT_BUNDLE, "--threads", "1", "--threads", "1")
    assert [(each["precision"], each["engine"]) for each in found["results"]] == [
        ("fp32", "onnxruntime"),
        ("fp32", "openvino"),
        ("int8", "onnxruntime"),
    ]
    assert [len(each["latency"]) for each in found["results"]] == [1, 1, 4]
    (each,) = answer(command, bundle_folder, "--threads", "1", "--engine", "openvino")["results"]
    assert each["engine"] == "openvino"


def test_an_engine_that_nobody_asked_for_may_refuse(command: Command, bundle_folder: Path) -> None:
    add_openvino(bundle_folder)
    edit_manifest(bundle_folder, labels=["negative", "neutral", "positive"])
    done = command("bench", bundle_folder, *QUICK)
    assert (done.returncode, done.stdout) == (1, b"")
    lines = [line for line in done.stderr.decode().split("\n") if "busy" not in line]
    assert [line.partition(":")[2].split(":")[0] for line in lines[:3]] == [
        " left out",
        " left out",
        " no engine here can run any of these bundles",
    ]
    assert "not a classifier of 3 labels" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("nowhere",), "nowhere: no bundle here"),
        (("--engine", "openvino"), "no model for openvino in it, only for onnxruntime"),
        (("--input", "blank"), "blank: no text in it; give a text a line"),
        (("--png", "nowhere/a.png"), "nowhere/a.png: there is no folder nowhere"),
        (("--png", "/proc/a.png"), "/proc/a.png: "),
        (("--png", "a" * 5000), "aaa: "),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    if "--png" in arguments and not (HAS_PLOT and Path("/proc/self").exists()):
        pytest.skip("no pictures or no /proc here")
    (tmp_path / "blank").write_text("\n  \n")
    done = command("bench", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert problem in done.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--engine", "tensorflow"),
        ("--input", "nowhere"),
        ("--threads", "0"),
        ("--seconds", "nan"),
        ("--seconds", "0"),
        ("--against", "keras"),
        ("--checkpoint", "folder"),
        ("--input", __file__, "--png", __file__),
    ],
)
def test_wrong_usage(command: Command, arguments: tuple[str, ...]) -> None:
    done = command("bench", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")


def test_what_is_missing_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    for extra, module, arguments in (
        ("export", "torch", ("--against", "torch")),
        ("plot", "matplotlib", ("--png", str(tmp_path / "a.png"))),
    ):
        done = without(module, *arguments)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
        assert f"pip install 'sentiment-edge[{extra}]'".encode() in done.stderr
    assert not list(tmp_path.iterdir())


def ended(group: int) -> bool:
    """Tell whether a group of processes ends, for which the system must have taken back those whose parent is gone."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("stage", [b"latency", b"throughput", b"cold start"])
def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, stage: bytes) -> None:
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    program = [sys.executable, "-m", "sentiment_edge", "bench", "--threads", "1", "--seconds", "2"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=terminal, cwd=tmp_path, start_new_session=True) as process:
        os.close(terminal)
        seen = b""
        while stage not in seen:
            seen += os.read(controller, 1000)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
        assert process.wait(30) == 130
        assert process.stdout
        assert process.stdout.read() == b""
    assert ended(process.pid)
    os.close(controller)
    assert b"Traceback" not in seen
    assert not list(tmp_path.iterdir())


def test_a_picture_shows_names_as_they_are(bundle_folder: Path) -> None:
    pytest.importorskip("matplotlib")
    from sentiment_edge.benchmark.picture import picture  # noqa: PLC0415 - where it is installed

    bundle = Bundle.open(bundle_folder)
    for name in ("$x^{", "\x1b[2J\n", "\udcff", "مرحبا 好", "long" * 50):
        subject = Subject(replace(bundle, root=Path(name)), "onnxruntime", 1)
        result = BenchmarkResult(subject, (Latency(16, 3, 0.1, 0.2, 0.3),), Throughput(1, 2, 3.0, 0.0), ColdStart(1, 0.5, None))
        assert picture(BenchmarkReport((result,), None, None, cpu_clock())).startswith(b"\x89PNG")
