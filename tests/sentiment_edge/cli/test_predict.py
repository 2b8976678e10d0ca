from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.support import Command
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge.data.table import open_table
from sentiment_edge.data.tables.record import ReadOptions
from sentiment_edge.labelling.writers.lines import FORMATS, format_jsonl, format_tsv
from sentiment_edge_runtimes.prediction import Prediction

PROGRAM = [sys.executable, "-m", "sentiment_edge", "predict"]
SURE = Prediction("good", 0.75, {"good": 0.75, "bad": 0.25})


def labels(output: bytes) -> list[str]:
    return [line.split("\t")[0] for line in output.decode().split("\n")[:-1]]


def test_lines_in_lines_out(command: Command) -> None:
    done = command("predict", stdin=b"I loved it.\nDreadful.\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert labels(done.stdout) == ["positive", "negative"]
    assert [line.split("\t")[2] for line in done.stdout.decode().splitlines()] == ["I loved it.", "Dreadful."]


@pytest.mark.parametrize(
    ("stdin", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"I loved it.", ["positive"]),
        (b"I loved it.\r\n\r\nDreadful.\r\n", ["positive", "", "negative"]),
        (b" \t \nDreadful.\n", ["", "negative"]),
        (b"\xef\xbb\xbfDreadful.\n", ["negative"]),
        ("Dreadful.\u2028Dreadful.\x85Dreadful.\rDreadful.\n".encode(), ["negative"]),
    ],
)
def test_each_line_of_any_kind_gives_one(command: Command, stdin: bytes, expected: list[str]) -> None:
    done = command("predict", stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b"")
    assert labels(done.stdout) == expected


def test_what_is_no_text_is_read_as_far_as_it_goes_and_named(command: Command) -> None:
    lines = b"fine\nI loved it \xff\xfe.\nI loved it\0 very much.\n"
    done = command("predict", stdin=lines)
    assert done.returncode == 0
    assert labels(done.stdout) == ["positive"] * 3
    assert "I loved it \ufffd\ufffd." in done.stdout.decode()
    remark = "2 lines labelled as far as they can be read: line 2 (not UTF-8), line 3 (a NUL in it)"
    assert done.stderr.decode() == f"sentiment-edge: stdin: {remark}\n"
    done = command("predict", "--skip-bad", stdin=lines)
    assert (done.returncode, len(labels(done.stdout))) == (0, 1)
    assert b"stdin: 2 rows left out that cannot be used: line 2 (not UTF-8)" in done.stderr


def test_files_are_read_in_order(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("Dreadful.")
    (tmp_path / "b").write_text("I loved it.\nDreadful.\n")
    done = command("predict", "--input", tmp_path / "b", "--input", tmp_path / "a")
    assert labels(done.stdout) == ["positive", "negative", "negative"]


def test_jsonl_has_every_figure(command: Command) -> None:
    done = command("predict", "--format", "jsonl", stdin=b"I loved it.\n\n" + b"good " * 500 + b"\n")
    first, blank, cut = map(json.loads, done.stdout.splitlines())
    assert list(first) == ["text", "label", "score", "scores"]
    assert first["score"] == first["scores"]["positive"]
    assert blank == {"text": "", "label": None, "score": None, "scores": {}}
    assert cut["truncated"] is True
    assert done.stderr == b"sentiment-edge: 1 texts cut to the 128 tokens that the model reads\n"


def test_csv_has_a_header_and_quotes(command: Command) -> None:
    done = command("predict", "--format", "csv", stdin=b'Dreadful, "they" said.\n\n')
    header, first, blank = csv.reader(io.StringIO(done.stdout.decode()))
    assert header == ["label", "score", "text"]
    assert (first[0], first[2]) == ("negative", 'Dreadful, "they" said.')
    assert blank == ["", "", ""]


@given(st.text(st.characters(codec="utf-8")))
def test_a_record_is_one_line_whatever_the_text(text: str) -> None:
    for form in ("tsv", "jsonl"):
        for prediction in (SURE, None):
            assert len(FORMATS[form](text, prediction).splitlines()) == 1
    assert json.loads(format_jsonl(text, SURE))["text"] == text
    assert format_tsv(text, SURE).count("\t") == 2
    assert next(csv.reader(io.StringIO(FORMATS["csv"](text, SURE), newline="")))[2] == text


_OTHER_KINDS = (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PAR1")


def line_of(line: bytes) -> bytes:
    """A line that begins as no other encoding and no file of another kind does, with a carriage return at its end only."""
    ended = line.endswith(b"\r")
    line = line.translate(None, b"\0\n\r")
    while line.startswith(_OTHER_KINDS):
        line = line[1:]
    return line + b"\r" * ended


@given(st.lists(st.binary(max_size=20).map(line_of), max_size=20), st.booleans())
def test_reading_splits_at_line_feeds_only(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], ended: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "lines"
    contents = b"\n".join(lines) + (b"\n" if ended else b"")
    path.write_bytes(contents)
    expected = contents.removesuffix(b"\n").split(b"\n") if contents else []
    with open_table(path, ReadOptions(plain=True)) as table:
        texts = [record.original if record.problem else record.cells[0] for record in table.records]
    decoded = [line.decode("utf-8", "replace").removesuffix("\r") for line in expected]
    assert texts == [text.removeprefix("\ufeff") if index == 0 else text for index, text in enumerate(decoded)]


def test_wrong_usage_is_status_2(command: Command, tmp_path: Path) -> None:
    for arguments in (
        ["--input", tmp_path / "absent"],
        ["--input", tmp_path],
        ["--format", "xml"],
        ["--threads", "0"],
        ["--no"],
    ):
        done = command("predict", *arguments)
        assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_no_bundle_is_one_line(command: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    done = command("predict", tmp_path / name, stdin=b"text\n")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"sentiment-edge export" in done.stderr


def test_a_closed_pipe_ends_quietly() -> None:
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"I loved it.\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"positive")
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.write(b"I loved it.\n" * 50_000)
        with suppress(BrokenPipeError):
            process.stdin.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == b""


def test_a_slow_pipe_is_answered_line_by_line() -> None:
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        for line, label in ((b"I loved it.\n", b"positive"), (b"Dreadful.\n", b"negative")):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline().startswith(label)
