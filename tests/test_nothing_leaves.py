"""Each command, and a process that lives on: no socket but the server's, no file but in the folders that are documented."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from http.client import HTTPConnection
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.openvino_bundle import add_openvino
from helpers.tracing import Traced, can_trace

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not can_trace(), reason="needs strace, and leave to use it")

COMMAND = (sys.executable, "-m", "sentiment_edge")
LIVES_ON = """
import sys, time
from sentiment_edge import load

classifier = load(sys.argv[1], engine=sys.argv[2])
assert len(classifier(["I loved it.", "Dreadful."] * 20)) == 40
time.sleep(30)
"""
"""Telemetry that some library sends is sent some seconds after its import."""
RUNS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "predict": (("--format", "tsv"), set()),
    "explain": (("fine", "--html", "page.html", "--png", "picture.png"), {"page.html", "picture.png"}),
    "evaluate": (("--data", "{rows}", "--report", "page.html"), {"page.html"}),
    "verify": ((), set()),
    "bench": (("--threads", "1", "--seconds", "0.1", "--png", "picture.png"), {"picture.png"}),
}
"""What follows the bundle, and the files that are asked for."""
CACHES = (".cache/sentiment-edge", ".cache/matplotlib", ".config/matplotlib")
"""The folders below the user's own that docs/engines.md names."""


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give a bundle for each engine that is installed."""
    made: dict[str, Path] = {ENGINES[0]: DEFAULT_BUNDLE}
    for name in ENGINES[1:]:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        made[name] = add_openvino(Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp("two") / "bundle")))
    return made


@pytest.fixture(scope="module", autouse=True)
def living(bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Traced]:
    """Start a process for each engine, which lives on while the other tests run."""
    return {
        engine: Traced(tmp_path_factory.mktemp("living"), sys.executable, "-c", LIVES_ON, bundle, engine)
        for engine, bundle in bundles.items()
    }


def check(traced: Traced, outputs: set[str], sockets: int = 0) -> None:
    """Check a process to its end, and what is left of it."""
    trace = traced.wait()
    folders = [traced.home / name for name in CACHES]
    assert len(trace.sockets) == sockets, trace.sockets
    assert trace.created_outside(traced.work, traced.temporary, *folders) == []
    left = traced.left()
    assert ({*left["work"]}, left["tmp"]) == (outputs, [])
    assert "Traceback" not in trace.output


def test_the_trace_shows_what_a_program_does(tmp_path: Path) -> None:
    program = """
import os, pathlib, socket, subprocess, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM): pass
pathlib.Path.home().joinpath("told").mkdir()
os.rename(pathlib.Path.home() / "told", pathlib.Path.home() / "moved")
subprocess.run([sys.executable, "-c", "import socket; socket.socket(socket.AF_INET6); open('here', 'w').close()"], check=True)
"""
    traced = Traced(tmp_path, sys.executable, "-c", program)
    trace = traced.wait()
    assert (trace.status, trace.output) == (0, "")
    assert [call.split(",")[0] for call in trace.sockets] == ["socket(AF_INET", "socket(AF_INET6"]
    assert {*trace.created} == {traced.home / "told", traced.home / "moved", traced.work / "here"}
    assert {*trace.created_outside(traced.work)} == {traced.home / "told", traced.home / "moved"}
    assert traced.left()["work"] == ["here"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", RUNS)
def test_a_command_keeps_to_itself(bundles: dict[str, Path], name: str, engine: str, tmp_path: Path) -> None:
    if engine not in bundles:
        pytest.skip(f"needs {engine}")
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\nI loved it.,positive\nDreadful.,negative\n", "utf-8")
    options, outputs = RUNS[name]
    arguments = (option.format(rows=rows) for option in options)
    bundle = bundles[engine]
    check(Traced(tmp_path, *COMMAND, name, bundle, "--engine", engine, *arguments, stdin=b"I loved it.\nDreadful.\n"), outputs)


@pytest.mark.parametrize("name", ["models", "doctor", "predict"])
def test_a_command_that_chooses_its_engine_keeps_to_itself(bundles: dict[str, Path], name: str, tmp_path: Path) -> None:
    arguments = () if name == "models" else (bundles[[*bundles][-1]],)
    check(Traced(tmp_path, *COMMAND, name, *arguments, stdin=b"I loved it.\n"), set())


@pytest.mark.parametrize("engine", ENGINES)
def test_the_server_opens_the_socket_that_it_was_asked_for(bundles: dict[str, Path], engine: str, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    if engine not in bundles:
        pytest.skip(f"needs {engine}")
    traced = Traced(tmp_path, *COMMAND, "serve", bundles[engine], "--engine", engine, "--port", "0")
    wait_until(lambda: "http://" in traced.output and traced.output.endswith("\n"), traced)
    connection = HTTPConnection("127.0.0.1", int(traced.output.rpartition(":")[2]), timeout=600)
    connection.request("POST", "/predict", b'{"text": "I loved it."}', {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()
    os.kill(traced.program, signal.SIGTERM)
    check(traced, set(), sockets=1)


def wait_until(done: Callable[[], bool], traced: Traced) -> None:
    while not done():
        assert traced.process.poll() is None, traced.output
        time.sleep(0.05)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_that_lives_on_keeps_to_itself(living: dict[str, Traced], engine: str) -> None:
    if engine not in living:
        pytest.skip(f"needs {engine}")
    traced = living[engine]
    check(traced, set())
    assert traced.process.returncode == 0, traced.output
