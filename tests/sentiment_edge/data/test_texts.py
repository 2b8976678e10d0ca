"""Users' own texts, as `export --parity-data` reads them: any of four formats, and odd files refused in one line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from helpers.remarks import Remarks
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import InputError
from sentiment_edge.data.texts import read_own_texts
from sentiment_edge_runtimes.progress import SILENT

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r\0"), max_size=30)


def read(path: Path, contents: str | bytes, column: str | None = None) -> tuple[tuple[str, ...], list[str]]:
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    remarks = Remarks()
    return read_own_texts(path, column, remarks), remarks.heard


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("a.txt", "one, two\nthree"),
        ("A.TXT", "\ufeffone, two\r\nthree\r\n"),
        ("a", "one, two\nthree\n"),
        ("a.csv", 'id,text\n1,"one, two"\n2,three\n'),
        ("a.csv", 'text\n"one, two"\nthree\n'),
        ("a.tsv", "label\tSentence\n0\tone, two\n1\tthree\n"),
        ("a.tsv", "review\none, two\nthree\n"),
        ("a.jsonl", '{"text": "one, two"}\n{"text": "three", "label": 1}\n'),
    ],
)
def test_formats(tmp_path: Path, name: str, contents: str) -> None:
    assert read(tmp_path / name, contents) == (("one, two", "three"), [])


def test_blank_texts_are_left_out(tmp_path: Path) -> None:
    files = {
        "a.txt": "fine\n\n \n",
        "a.csv": "id,text\n1,fine\n2,\n3, \n",
        "a.jsonl": '{"text": "fine"}\n{"text": ""}\n{"text": null}\n',
    }
    for name, contents in files.items():
        assert read(tmp_path / name, contents) == (("fine",), [f"{tmp_path / name}: 2 blank texts left out"])


def test_the_only_column_may_have_any_name_and_is_named(tmp_path: Path) -> None:
    texts, remarks = read(tmp_path / "a.csv", "phrase\nfine\n")
    assert texts == ("fine",)
    assert "only column, 'phrase'; its first line is not one of them" in remarks[0]


def test_a_column_may_be_chosen(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "text,title\nlong,short\n", "title") == (("short",), [])


def test_half_a_surrogate_pair_does_no_harm(tmp_path: Path) -> None:
    assert read(tmp_path / "a.jsonl", '{"text": "so \\ud83d"}\n')[0] == ("so ?",)


@given(st.lists(TEXT, min_size=1, max_size=10), st.sampled_from(["txt", "csv", "tsv", "jsonl"]))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, texts: list[str], ending: str) -> None:
    file = io.StringIO(newline="")
    if ending == "txt":
        file.writelines(f"{text}\n" for text in texts)
    elif ending == "jsonl":
        file.writelines(json.dumps({"id": 1, "text": text}) + "\n" for text in texts)
    else:
        dialect = "excel" if ending == "csv" else "excel-tab"
        csv.writer(file, dialect, quoting=csv.QUOTE_ALL).writerows([["id", "text"], *([1, text] for text in texts)])
    expected = tuple(text for text in texts if text.strip())
    path = tmp_path_factory.getbasetemp() / f"own.{ending}"
    if expected:
        assert read(path, file.getvalue())[0] == expected
    else:
        with pytest.raises(InputError, match="no text in it"):
            read(path, file.getvalue())


@pytest.mark.parametrize(
    ("name", "contents", "column", "expected"),
    [
        ("a.txt", b"", None, "no text in it; give a text a line"),
        ("a.txt", b"\n \n\t\n", None, "no text in it; give a text a line"),
        ("a.csv", b"", None, "the file is empty; give csv or tsv"),
        ("a.csv", b"text\n", None, "no text in it"),
        ("a.jsonl", b'{"text": null}\n', None, "no text in it"),
        ("a.txt", b"fine\ncaf\xe9\n", None, "1 rows cannot be used: line 2 (not UTF-8); correct them"),
        ("a.txt", b"fi\0ne\n", None, "1 rows cannot be used: line 1 (a NUL in it); correct them"),
        ("a.csv", b"text\ncaf\xe9\n", None, "1 rows cannot be used: line 2 (not UTF-8); correct them"),
        ("a.csv", b"text\none, two\n", None, "line 2 (2 columns, where the header has 1); correct them"),
        ("a.jsonl", b'{"text": "a"}\n{"text"', None, "line 2 (not JSON); correct them"),
        ("a.csv", b"stars,words\n1,fine\n", None, "name it by `text_column`"),
        ("a.csv", b"text\nfine\n", "words", "no column 'words'; the first line names the columns: text"),
        ("a.txt", b"fine\n", "text", "lines have no column 'text'; leave `text_column` out"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, contents: bytes, column: str | None, expected: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / name, contents, column)
    message = str(raised.value)
    assert expected in message
    assert message.startswith(f"{tmp_path / name}: ")
    assert "\n" not in message
    assert "skip_bad" not in message


@pytest.mark.parametrize("name", ["absent.txt", "absent.csv", "absent"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(No such file or directory\); give"):
        read_own_texts(tmp_path / name, None, SILENT)
