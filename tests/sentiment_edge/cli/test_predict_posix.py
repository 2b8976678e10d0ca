"""`predict` under signals, terminals and limits, as POSIX has them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.support import Command

pty = pytest.importorskip("pty")
resource = pytest.importorskip("resource")

PROGRAM = [sys.executable, "-m", "sentiment_edge", "predict"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(PROGRAM, input=b"I loved it.\n", stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr == b"sentiment-edge: output: No space left on device\n"


def test_an_interrupt_is_status_130() -> None:
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"I loved it.\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == b""


def test_a_terminal_gets_a_hint_and_immediate_answers() -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(PROGRAM, stdin=terminal, stdout=terminal, stderr=subprocess.PIPE) as process:
        assert process.stderr
        assert b"end with Ctrl-D" in process.stderr.readline()
        os.write(controller, b"Dreadful.\n")
        seen, start = b"", time.monotonic()
        while b"negative\t" not in seen and time.monotonic() < start + 30:
            seen += os.read(controller, 1000)
        os.write(controller, b"\x04")
        assert process.wait(30) == 0
    assert b"negative\t" in seen


@pytest.mark.parametrize("line", [b"good " * 2_000_000, b"x" * 10_000_000, b" " * 9_999_996 + b"good", b"\xff" * 10_000_000])
def test_a_line_of_10_mb_takes_bounded_memory(command: Command, line: bytes) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))

    done = command("predict", "--threads", "1", "--format", "jsonl", stdin=line + b"\nDreadful.\n", preexec_fn=limit)
    assert done.returncode == 0, done.stderr
    assert [json.loads(record)["label"] for record in done.stdout.splitlines()][1] == "negative"


def test_progress_shows_on_a_terminal_only_once_it_takes_a_while() -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=terminal) as process:
        assert process.stdin
        for _ in range(6):
            process.stdin.write(b"I loved it.\n")
            process.stdin.flush()
            time.sleep(0.6)
        process.stdin.close()
        assert process.wait(30) == 0
    os.close(terminal)
    shown = os.read(controller, 10_000)
    assert b" lines, " in shown
    assert shown.endswith(b"\r\n")


def test_stdin_may_be_closed_where_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("Dreadful.\n")
    script = f"{sys.executable} -m sentiment_edge predict --input {tmp_path / 'lines'} <&-"
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.startswith(b"negative\t")
    done = subprocess.run(["sh", "-c", f"{sys.executable} -m sentiment_edge predict <&-"], capture_output=True, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)


def test_a_closed_stderr_is_no_matter() -> None:
    script = f"printf 'Dreadful.\\n\\xff\\n' | {sys.executable} -m sentiment_edge predict 2>&-"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    assert done.stdout.startswith(b"negative\t")


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with subprocess.Popen(PROGRAM, stdin=reader, stdout=subprocess.PIPE) as process:
        os.close(reader)
        time.sleep(1)
        os.write(writer, b"Dreadful.\n")
        os.close(writer)
        assert process.stdout
        assert process.stdout.read().startswith(b"negative\t")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_help_on_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*PROGRAM[:3], "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"sentiment-edge: output: No space left on device\n")
