"""`bench --input` reads texts as the other commands do: lines and tables, compressed, in any encoding."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from helpers.invocation import invoke
from helpers.support import Command

from sentiment_edge import InputError
from sentiment_edge.benchmark.run import BenchmarkRequest

QUICK = ("--threads", "1", "--seconds", "0.1", "--json")
LATIN = "text;stars\ncaf\xe9, lovely;5\nbad;1\n\xe9;3\n".encode("cp1252")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...] | None]:
    """Collect the texts that would be measured, which takes no time here."""
    found: list[tuple[str, ...] | None] = []

    def measure(_: object, request: BenchmarkRequest, __: object) -> None:
        found.append(request.lines)
        raise InputError("enough")

    monkeypatch.setattr("sentiment_edge.benchmark.run.run_benchmark", measure)
    return found


@pytest.mark.parametrize(
    ("name", "contents", "options"),
    [
        ("a.txt", "one\r\n\r\ntwo, \u597d\r\nthree".encode("utf-16"), ()),
        ("a", b"one\n  \ntwo, \xe5\xa5\xbd\nthree\n\n", ()),
        ("a.jsonl.gz", gzip.compress(b'{"text": "one"}\n{"text": " "}\n{"text": "two, \\u597d"}\n{"text": "three"}\n'), ()),
        ("a.csv", 'words,more\n1,one\n2,"two, \u597d"\n3,three\n'.encode("gb18030"), ("--encoding", "gb18030")),
    ],
)
def test_any_file_of_texts(
    measured: list[tuple[str, ...]], tmp_path: Path, name: str, contents: bytes, options: tuple[str, ...]
) -> None:
    (tmp_path / name).write_bytes(contents)
    column = ("--text-column", "more") if name == "a.csv" else ()
    done = invoke("bench", "--input", tmp_path / name, *column, *options)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, b"sentiment-edge: enough")
    assert measured == [("one", "two, \u597d", "three")]


def test_stdin_is_a_dash(measured: list[tuple[str, ...]]) -> None:
    done = invoke("bench", "--input", "-", stdin=b"one\n\ntwo\n")
    assert done.stderr == b"sentiment-edge: stdin: 1 blank texts left out\nsentiment-edge: enough\n"
    assert measured == [("one", "two")]


def test_no_more_than_can_be_measured(measured: list[tuple[str, ...]], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"fine\n" * 100_000 + b"n\xffever read\n")
    invoke("bench", "--input", tmp_path / "a.txt")
    assert measured == [("fine",) * 100_000]


def test_it_measures_them(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(LATIN)
    done = command("bench", "--input", "a.csv", "--encoding", "cp1252", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["input"] == "a.csv"


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (("--input", "latin.csv"), 1, "latin.csv: 2 rows cannot be used: line 2 (not UTF-8), line 4 (not UTF-8); correct them"),
        (("--input", "latin.csv"), 1, "name it by --encoding"),
        (("--input", "latin.csv", "--encoding", "klingon"), 2, "--encoding: 'klingon' is no encoding"),
        (("--input", "lines.txt"), 1, "lines.txt: 1 rows cannot be used: line 2 (not UTF-8)"),
        (("--input", "stars.csv"), 1, "name it by --text-column"),
        (("--encoding", "cp1252"), 2, "--encoding goes with --input"),
        (("--text-column", "text"), 2, "--text-column goes with --input"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int, problem: str
) -> None:
    (tmp_path / "latin.csv").write_bytes(LATIN)
    (tmp_path / "lines.txt").write_bytes(b"fine\ncaf\xe9\n")
    (tmp_path / "stars.csv").write_bytes(b"stars,words\n1,fine\n")
    monkeypatch.chdir(tmp_path)
    done = invoke("bench", *arguments)
    assert (done.returncode, done.stdout) == (status, b"")
    assert problem in done.stderr.decode().splitlines()[-1]
