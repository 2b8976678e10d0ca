"""`predict` on a pipe whose other end writes a line only once the last is answered."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREDICT = [sys.executable, "-m", "sentiment_edge", "predict"]
LINES = [("I loved it.", b"positive"), ("Dreadful.", b"negative")] * 20


@contextmanager
def predicting(stdin: IO[bytes] | int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(PREDICT, stdin=stdin, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_each_line_of_a_pipe_is_answered_before_the_next_is_written() -> None:
    with predicting(subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        for text, label in LINES:
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline().split(b"\t")[0] == label
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait() == 0


def test_lines_that_come_together_are_answered_before_the_next_come() -> None:
    with predicting(subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        for count in (1, 5, 700, 3, 1):
            process.stdin.write(b"I loved it.\n" * count)
            process.stdin.flush()
            assert [process.stdout.readline()[:8] for _ in range(count)] == [b"positive"] * count


@pytest.mark.skipif(shutil.which("tail") is None, reason="no tail here")
def test_each_line_of_a_file_that_grows_is_answered_before_the_next_is_written(tmp_path: Path) -> None:
    with (
        (tmp_path / "log.txt").open("w", encoding="utf-8") as log,
        subprocess.Popen(["tail", "-n", "+1", "-f", log.name], stdout=subprocess.PIPE) as tail,
    ):
        assert tail.stdout
        with predicting(tail.stdout) as process:
            assert process.stdout
            for text, label in LINES[:6]:
                print(text, file=log, flush=True)
                assert process.stdout.readline().split(b"\t")[0] == label
        tail.kill()
