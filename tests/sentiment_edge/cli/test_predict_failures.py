"""`predict` where a text cannot be answered: its record says so, the others are as ever, and nothing else reaches stderr."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.support import Command, put_file

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Sequence

BACKTRACES = os.environ | {"RUST_BACKTRACE": "full"}
REASON = "the tokenizer failed on this text (Onig: Regex search error: retry-limit-in-match over)"
REMARK = f"sentiment-edge: 1 lines got no label; the first is line 2: {REASON}\n"
LINES = f"I loved it.\n{UNLUCKY}\n\nDreadful.\n".encode()


@pytest.fixture
def unlucky(bundle_folder: Path) -> Path:
    """A bundle whose tokenizer panics at one text."""
    tokenizer = json.loads((DEFAULT_BUNDLE / "tokenizer.json").read_text("utf-8"))
    put_file(bundle_folder, "tokenizer.json", json.dumps(tokenizer | {"normalizer": CATASTROPHIC}).encode())
    return bundle_folder


def texts_of(stdout: bytes) -> list[str]:
    return [json.loads(line)["text"] for line in stdout.splitlines()]


def test_the_record_of_a_failed_text_is_a_blank_lines_with_the_error(command: Command, unlucky: Path) -> None:
    done = command("predict", unlucky, "--format", "jsonl", stdin=LINES, env=BACKTRACES)
    assert (done.returncode, done.stderr.decode()) == (1, REMARK)
    first, failed, blank, last = map(json.loads, done.stdout.splitlines())
    nothing: dict[str, Any] = {"label": None, "score": None, "scores": {}}
    assert failed == {"text": UNLUCKY, **nothing, "error": REASON}
    assert blank == {"text": "", **nothing}
    assert {*first} == {*last} == {"text", "label", "score", "scores"}


def test_in_a_table_its_cells_are_empty(command: Command, unlucky: Path) -> None:
    done = command("predict", unlucky, stdin=LINES, env=BACKTRACES)
    assert (done.returncode, done.stderr.decode()) == (1, REMARK)
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert rows[1] == ["", "", UNLUCKY]
    assert all(label for label, _, text in rows if text not in {"", UNLUCKY})
    done = command("predict", unlucky, "--format", "csv", stdin=LINES, env=BACKTRACES)
    assert (done.returncode, done.stderr.decode()) == (1, REMARK)
    assert [*csv.reader(io.StringIO(done.stdout.decode()))][1:] == rows


@pytest.mark.parametrize("bad", [(0,), (1499,), (3, 700, 701, 1024, 1499)])
def test_the_others_are_answered_as_without_it(command: Command, unlucky: Path, bad: Sequence[int]) -> None:
    lines = [UNLUCKY if index in bad else f"a fine film {index}" for index in range(1500)]
    done = command("predict", unlucky, "--format", "jsonl", stdin="\n".join(lines).encode())
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"sentiment-edge: {len(bad)} lines got no label; the first is line {bad[0] + 1}: ")
    assert texts_of(done.stdout) == lines
    without = command("predict", unlucky, "--format", "jsonl", stdin="\n".join(set(lines) - {UNLUCKY}).encode())
    assert (without.returncode, without.stderr) == (0, b"")
    expected = {record["text"]: record["label"] for record in map(json.loads, without.stdout.splitlines())}
    assert all(record["label"] == expected.get(record["text"]) for record in map(json.loads, done.stdout.splitlines()))


@pytest.mark.parametrize("arguments", [("explain",), ("evaluate", "--data"), ("bench", "--input")])
def test_other_readers_of_texts_name_it_in_one_line(
    command: Command, unlucky: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    data = tmp_path / "data.tsv"
    data.write_text(f"text\tlabel\nI loved it.\tpositive\n{UNLUCKY}\tnegative\n")
    name, *options = arguments
    done = command(name, unlucky, *options, str(data) if options else UNLUCKY, env=BACKTRACES)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].count(REASON) == 1
    assert b"panicked" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_evaluate_leaves_it_out_if_asked(command: Command, unlucky: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.tsv"
    data.write_text(f"text\tlabel\nI loved it.\tpositive\n{UNLUCKY}\tnegative\nDreadful.\tnegative\n")
    done = command("evaluate", unlucky, "--data", data, "--skip-bad", "--json", "--compare", DEFAULT_BUNDLE)
    assert done.returncode == 0, done.stderr
    assert f"1 texts got no label; the first is line 3: {REASON}; left out" in done.stderr.decode()
    figures = json.loads(done.stdout)
    assert (figures["rows"], figures["comparison"]["rows"]) == (2, 2)
    done = command("evaluate", DEFAULT_BUNDLE, "--data", data, "--compare", unlucky)
    assert done.returncode == 1
    assert f"line 3: {REASON}; correct them, or leave them out by --skip-bad" in done.stderr.decode()
