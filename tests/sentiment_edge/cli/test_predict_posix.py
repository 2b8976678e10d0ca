"""`predict` under signals, terminals and limits, as POSIX has them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.support import Command, edit_manifest

pty = pytest.importorskip("pty")
resource = pytest.importorskip("resource")

PROGRAM = [sys.executable, "-m", "sentiment_edge", "predict"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(PROGRAM, input=b"I loved it.\n", stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr == b"sentiment-edge: output: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [["predict"], ["evaluate", "--predictions", "-"], ["--help"]], ids=" ".join)
def test_a_full_disk_is_one_line_where_stdout_is_buffered(arguments: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    table = b"label,prediction\npositive,positive\nnegative,negative\n"
    with Path("/dev/full").open("wb") as full:
        program = [*PROGRAM[:3], *arguments]
        done = subprocess.run(program, input=table, stdout=full, stderr=subprocess.PIPE, check=False, env=environment)
    assert (done.returncode, done.stderr) == (1, b"sentiment-edge: output: No space left on device\n")


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


LONG_LINES = {
    "words": b"good " * 2_000_000,
    "a word": b"x" * 10_000_000,
    "spaces": b" " * 9_999_996 + b"good",
    "bytes": b"\xff" * 10**7,
}


@pytest.mark.parametrize("line", LONG_LINES.values(), ids=LONG_LINES)
def test_a_line_of_10_mb_takes_bounded_memory(command: Command, line: bytes) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))

    done = command("predict", "--threads", "1", "--format", "jsonl", stdin=line + b"\nDreadful.\n", preexec_fn=limit)
    assert done.returncode == 0, done.stderr
    assert [json.loads(record)["label"] for record in done.stdout.splitlines()][1] == "negative"


def test_progress_shows_on_a_terminal_only_once_it_takes_a_while() -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=terminal) as process:
        assert process.stdin and process.stdout
        for _ in range(6):
            process.stdin.write(b"I loved it.\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(b"positive\t")  # a slow machine may take long to begin
            time.sleep(0.6)
        process.stdin.close()
        assert process.wait(30) == 0
    os.close(terminal)
    shown = os.read(controller, 10_000)
    assert b" texts, " in shown
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


HOSTILE = "good \x1b[2J\x1b]0;title\x07 \x7f\x9b31m\x00 \u202egnp.exe \u200b\r beep"


@pytest.mark.parametrize("form", ["tsv", "csv", "jsonl"])
def test_control_characters_reach_a_pipe_and_no_terminal(bundle_folder: Path, form: str) -> None:
    edit_manifest(bundle_folder, labels=["bad\x1b[31m", "fine\x9b1m\u202e"])
    program = [*PROGRAM, str(bundle_folder), "--format", form]
    piped = subprocess.run(program, input=HOSTILE.encode() + b"\n", capture_output=True, check=True).stdout.decode()
    controller, terminal = pty.openpty()
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=terminal, stderr=subprocess.PIPE) as process:
        os.close(terminal)
        process.communicate(HOSTILE.encode() + b"\n", timeout=600)
    shown = _read_all(controller).replace("\r\n", "\n")
    assert all(character.isprintable() or character in "\n\t" for character in shown)
    assert "\\u001b[2J" in shown
    if form == "jsonl":
        assert json.loads(shown) == json.loads(piped)
        assert json.loads(piped)["text"] == HOSTILE
    else:
        assert "\x1b[2J\x1b]0;title\x07 \x7f\x9b31m\x00 \u202egnp.exe" in piped


def test_what_is_no_control_character_is_shown_as_it_is() -> None:
    controller, terminal = pty.openpty()
    text = "naïve 好 क्षि 👩\u200d👩\u200d👧 می\u200cخواهم"  # noqa: RUF001
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=terminal, stderr=subprocess.PIPE) as process:
        os.close(terminal)
        process.communicate(text.encode() + b"\n", timeout=600)
    assert _read_all(controller).endswith(f"\t{text}\r\n")


def _read_all(controller: int) -> str:
    """Return what the terminal was sent, and close it."""
    sent = b""
    with suppress(OSError):  # Linux's end of a terminal that nobody holds
        while block := os.read(controller, 2**16):
            sent += block
    os.close(controller)
    return sent.decode()
