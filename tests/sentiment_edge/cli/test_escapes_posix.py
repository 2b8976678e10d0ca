"""Names, labels, texts and messages on a terminal: it shows them and obeys none."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import Command
from helpers.terminal import EVIL, EVIL_LABELS, EVIL_NAME, evil_bundle, obeyed, on_terminal

pytest.importorskip("pty", reason="no terminals to open here")
HAS_SERVER = importlib.util.find_spec("uvicorn") is not None
HAS_TORCH = importlib.util.find_spec("torch") is not None


def data(folder: Path) -> Path:
    """Two rows that the labels of a bundle fit by class id, with such a text each, in a file of such a name."""
    path = folder / f"data{EVIL_NAME}.jsonl"
    rows = [{"text": f"{text} {EVIL}", "label": str(label)} for label, text in enumerate(("Dreadful.", "I loved it."))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_explain(tmp_path: Path) -> None:
    status, shown = on_terminal("explain", evil_bundle(tmp_path), f"Dreadful. {EVIL}")
    assert (status, obeyed(shown)) == (0, "")
    assert r"[/b]\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u202e\u2066\r\x08\ud800$x$ 0." in shown


def test_explain_in_colour_has_no_other_escapes(tmp_path: Path) -> None:
    status, shown = on_terminal("explain", evil_bundle(tmp_path), "Dreadful.", TERM="xterm-256color")
    assert status == 0
    ends = {part.lstrip("0123456789;")[:1] for part in shown.split("\x1b[")[1:]}
    assert ends == {"m"}
    assert obeyed(shown) == "\x1b"
    assert r"\x1b[2J" in shown


def test_evaluate(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second = evil_bundle(tmp_path), evil_bundle(tmp_path / "other", EVIL_LABELS[::-1])
    status, shown = on_terminal("evaluate", first, "--data", data(tmp_path), "--compare", second)
    assert (status, obeyed(shown)) == (0, "")
    assert "2 texts with another label" in shown
    assert r"Dreadful. \x1b[2J\x1b]0;" in shown
    assert r"[/b]\x1b[2J" in shown


def test_verify(tmp_path: Path) -> None:
    status, shown = on_terminal("verify", evil_bundle(tmp_path))
    assert (status, obeyed(shown)) == (0, "")
    assert r"bundle\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u202e\u2066\n\x08: " in shown


def test_doctor(tmp_path: Path) -> None:
    status, shown = on_terminal("doctor", evil_bundle(tmp_path, family=f"family{EVIL}"))
    assert (status, obeyed(shown)) == (0, "")
    assert r"family\x1b[2J" in shown
    assert r"\u2066\n\x08" in shown


def test_bench(tmp_path: Path) -> None:
    status, shown = on_terminal("bench", evil_bundle(tmp_path), "--seconds", "0.1", "--threads", "1")
    assert (status, obeyed(shown)) == (0, "")
    assert shown.count(r"bundle\x1b[2J") == 5


@pytest.mark.skipif(not HAS_TORCH, reason="needs the extra export")
def test_models(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({f"tensor{EVIL_NAME}": entry}).encode()
    (tmp_path / "weights.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    status, shown = on_terminal("models", "--inspect", tmp_path / "weights.safetensors", PYTHONWARNINGS="default")
    assert (status, obeyed(shown), shown.count("\n")) == (0, "", 1)
    assert r"tensor\x1b[2J" in shown


@pytest.mark.skipif(not HAS_SERVER, reason="needs the extra serve")
def test_serve(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "sentiment_edge", "serve", str(evil_bundle(tmp_path)), "--port", "0"]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        line = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
    assert line.startswith(r"serving bundle\x1b[2J")
    assert obeyed(line) == ""


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((EVIL,), 2),
        ((f"--a{EVIL}",), 2),
        (("explain", f"--a{EVIL}", "text"), 2),
        (("explain", "--engine", EVIL, "text"), 2),
        (("explain", "text", "--html", f"nowhere{EVIL_NAME}/a.html"), 1),
        (("explain", EVIL_NAME, "text"), 1),
        (("predict", "--threads", EVIL), 2),
        (("predict", "--input", EVIL_NAME), 2),
        (("evaluate", "--data", EVIL_NAME), 2),
        (("evaluate", "--map", EVIL, "--data", __file__), 2),
        (("bench", "--engine", EVIL), 2),
        (("verify", EVIL_NAME), 1),
        (("doctor", EVIL_NAME), 1),
        (("models", "--inspect", EVIL_NAME), 1),
        (("models", "too", f"many{EVIL}"), 2),
    ],
)
def test_messages(arguments: tuple[str, ...], status: int) -> None:
    if "--inspect" in arguments and not HAS_TORCH:
        pytest.skip("needs the extra export")
    found, shown = on_terminal(*arguments, PYTHONWARNINGS="default")
    assert (found, obeyed(shown)) == (status, "")
    assert shown.count("\n") == (4 if shown.startswith("Usage") else 1)
    assert r"\x1b[2J" in shown


def test_a_path_that_is_not_utf8(tmp_path: Path) -> None:
    try:
        os.mkdir(os.fsencode(tmp_path) + b"/\xff\x1b")  # noqa: PTH102 - a name as the system has it
    except OSError:
        pytest.skip("the system has no such names")
    status, shown = on_terminal("verify", tmp_path / "\udcff\x1b")
    assert (status, obeyed(shown), shown.count("\n")) == (1, "", 1)
    assert r"/\udcff\x1b: " in shown


@pytest.mark.parametrize("name", ["verify", "doctor", "evaluate"])
def test_json_is_json_and_ascii(command: Command, tmp_path: Path, name: str) -> None:
    bundle = evil_bundle(tmp_path)
    more = ("--data", data(tmp_path)) if name == "evaluate" else ()
    done = command(name, bundle, *more, "--json")
    assert done.returncode == 0
    assert obeyed(done.stdout.decode("ascii")) == ""
    found = json.loads(done.stdout)["bundle"]
    assert (found["bundle"] if name == "doctor" else found) == str(bundle)
