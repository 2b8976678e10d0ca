"""The first texts of a file, of whatever kind: no more is read than they need."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import os
import sys
from pathlib import Path

import pytest
from helpers.remarks import Remarks
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import InputError
from sentiment_edge.data.tables.record import ReadOptions
from sentiment_edge.data.texts import read_own_texts
from sentiment_edge_runtimes.progress import SILENT

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r\0"), max_size=20)


@given(st.lists(TEXT, max_size=12), st.integers(1, 14), st.sampled_from(["txt", "csv", "jsonl"]))
def test_they_are_the_first_of_all(tmp_path_factory: pytest.TempPathFactory, texts: list[str], most: int, ending: str) -> None:
    file = io.StringIO(newline="")
    if ending == "txt":
        file.writelines(f"{text}\n" for text in ("first", *texts))
    elif ending == "jsonl":
        file.writelines(json.dumps({"text": text}) + "\n" for text in ("first", *texts))
    else:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["text"], ["first"], *([text] for text in texts)])
    path = tmp_path_factory.getbasetemp() / f"first.{ending}"
    path.write_bytes(file.getvalue().encode())
    found = read_own_texts(path, None, SILENT, most=most)
    assert found == read_own_texts(path, None, SILENT)[:most]


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("a.txt", b"one\n\ntwo\nb\xffd\n\n"),
        ("a.csv", b"text\none\n\ntwo\n1,2\n"),
        ("a.jsonl", b'{"text": "one"}\n{"text": "two"}\n{"text"\n'),
        ("a.json", b'[{"text": "one"}, {"text": "two"}, 3'),
        ("a.txt", "one\r\ntwo\r\nb\0d".encode("utf-16")),
        ("a.txt.gz", gzip.compress(b"one\ntwo\n\0\n")),
        ("a.csv.bz2", bz2.compress(b"text;label\none;1\ntwo;2\n3\n")),
    ],
)
def test_what_follows_them_is_not_looked_at(tmp_path: Path, name: str, contents: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(contents)
    assert read_own_texts(path, None, SILENT, most=2) == ("one", "two")
    with pytest.raises(InputError, match=r"\d rows cannot be used: line"):
        read_own_texts(path, None, SILENT, most=3)


def test_a_source_that_is_still_open_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as raw, os.fdopen(writing, "wb", buffering=0) as out:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
        out.write(b"one\n\ntwo\n")
        assert read_own_texts(Path("-"), None, SILENT, most=2) == ("one", "two")


def test_blank_ones_before_them_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\none\n \ntwo\n\n")
    remarks = Remarks()
    assert read_own_texts(tmp_path / "a.txt", None, remarks, most=2) == ("one", "two")
    assert remarks.heard == [f"{tmp_path / 'a.txt'}: 2 blank texts left out"]


def test_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\n \n")
    with pytest.raises(InputError, match="no text in it"):
        read_own_texts(tmp_path / "a.txt", None, SILENT, ReadOptions(), most=5)
