"""Tables as people have them: separators, headers, encodings, compression, pipes; what cannot be told is refused in a line."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.remarks import Remarks
from helpers.support import SHARED, Command

from sentiment_edge import InputError
from sentiment_edge.data.labelled import Selection, read_labelled
from sentiment_edge.data.table import open_table
from sentiment_edge.data.tables import source
from sentiment_edge.data.tables.record import ReadOptions
from sentiment_edge.data.texts import read_own_texts
from sentiment_edge.extras import MissingExtra
from sentiment_edge_runtimes.errors import OptionError
from sentiment_edge_runtimes.progress import SILENT

CASES = SHARED / "cases/files"
PUBLISHED = {
    "arr.jsonl": ("I loved it", "Dreadful"),
    "bom.jsonl": ("I loved it",),
    "cr.csv": ("I loved it", "Dreadful"),
    "excel_semicolon.csv": ("I loved it; really", "Dreadful"),
    "in.csv": ("I loved it.\nReally, I did", "Dreadful"),
    "in.jsonl": ("I loved it.", "Dreadful."),
    "pipe.csv": ("I loved it",),
    "utf16.csv": ("I loved it", "Dreadful"),
    "w.utf-16le.txt": ("I hated every minute of it.", "Dreadful, boring film."),
}


def texts(path: Path, contents: bytes, column: str | None = None, **options: Any) -> tuple[tuple[str, ...], list[str]]:
    path.write_bytes(contents)
    remarks = Remarks()
    found = read_own_texts(path, column, remarks, ReadOptions(**options))
    return found, [remark.removeprefix(f"{path}: ") for remark in remarks.heard]


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases in ../shared")
def test_published_cases_are_read() -> None:
    found = {path.name: read_own_texts(path, None, SILENT) for path in CASES.iterdir()}
    assert {name: found[name] for name in PUBLISHED} == PUBLISHED
    assert found.keys() == PUBLISHED.keys()


@pytest.mark.parametrize(
    ("name", "contents", "expected", "remark"),
    [
        ("a.csv", b'text;label\r\n"fine; really";1\r\nbad;0\r\n', ("fine; really", "bad"), "separated by ';'"),
        ("a.csv", b"review|stars\nfine, so, so|1\nbad|0\n", ("fine, so, so", "bad"), "separated by '|'"),
        ("a.csv", b"text\tlabel\nfine\t1\n", ("fine",), "separated by tabs"),
        ("a.csv", b'\xef\xbb\xbfsep=;\r\ntext;label\r\n"a;b";1\r\n', ("a;b",), ""),
        ("a.csv", b'id,text\n1,"two; three;\nfour; five"\n2,bad\n', ("two; three;\nfour; five", "bad"), ""),
        ("a.csv", b'text,label\r"two\nlines",1\rbad,0\r', ("two\nlines", "bad"), ""),
        ("a.csv", "text,label\r\nfin\xe9,1\r\n".encode("utf-16"), ("fin\xe9",), ""),
        ("a.csv", "text,label\nfine,1\n".encode("utf-16-be"), ("fine",), "read as UTF-16-BE"),
        ("a.txt", "fine\r\nbad\r\n".encode("utf-16-le"), ("fine", "bad"), "read as UTF-16-LE"),
        ("a.txt", b"fine\rbad\r", ("fine", "bad"), ""),
        ("a.tsv", b'id\ttext\n1\t"two\tcells\nand ""lines"""\n', ('two\tcells\nand "lines"',), ""),
        ("a.dat", b'[\n  {"text": "fine",\n   "label": 1},\n  {"text": "bad"}\n]\n', ("fine", "bad"), ""),
        ("a.json", b'{"text": "fine"}\n{"text": "bad"}\n', ("fine", "bad"), ""),
        ("a.json", b'{\n "text": "fine"\n}\n{\n "text": "bad"\n}', ("fine", "bad"), ""),
        ("a.csv.gz", gzip.compress(b"text\nfine\n"), ("fine",), ""),
        ("a", bz2.compress(b"fine\nbad\n"), ("fine", "bad"), ""),
    ],
)
def test_what_is_found_out(tmp_path: Path, name: str, contents: bytes, expected: tuple[str, ...], remark: str) -> None:
    found, remarks = texts(tmp_path / name, contents)
    assert found == expected
    assert [remark in heard for heard in remarks] == [True] * bool(remark)


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("1,I loved it,5\n2,Dreadful,1\n", ("I loved it", "Dreadful")),
        ("I loved it. Really!,positive\nIt is dreadful,negative\n", ("I loved it. Really!", "It is dreadful")),
        ("a1,2024-01-01,I loved every single minute of it\nb2,2024-01-02,Dreadful film it was\n", None),
        ("5,fine\n", ("fine",)),
        ('"I loved it, but the end was far too long."\nbad\n', ("I loved it, but the end was far too long.", "bad")),
    ],
)
def test_a_csv_without_a_header(tmp_path: Path, contents: str, expected: tuple[str, ...] | None) -> None:
    found, remarks = texts(tmp_path / "a.csv", contents.encode())
    assert expected is None or found == expected
    assert len(found) == contents.count("\n")
    assert remarks[0].startswith("no header, as its first line is data; its columns are column_1")
    assert remarks[1].startswith("text taken from column_")
    assert len(remarks) == 2


@pytest.mark.parametrize(
    ("contents", "column"),
    [
        ("Text,5\n1,2\n", None),
        ("when,How did you like the film?\n2024-01-01,I loved every minute of it\n", "How did you like the film?"),
        ("phrase,mood\nI loved every minute of this.,good\nSimply dreadful.,bad\n", "phrase"),
        (",phrase\n0,fine\n1,bad\n", "phrase"),
    ],
)
def test_a_csv_with_a_header_of_unusual_names(tmp_path: Path, contents: str, column: str | None) -> None:
    found, remarks = texts(tmp_path / "a.csv", contents.encode(), column)
    assert (len(found), remarks) == (contents.count("\n") - 1, [])
    if column:
        with pytest.raises(InputError, match="the first line names the columns"):
            texts(tmp_path / "a.csv", contents.encode())


@pytest.mark.parametrize("contents", ["fine,good\nbad,poor\n", "0,1\nfine,good\n5,4\n", "10/10,4\nfine,3\n5,x\nnumber,2\n"])
def test_a_header_that_cannot_be_told_is_asked_for(tmp_path: Path, contents: str) -> None:
    try:
        found, remarks = texts(tmp_path / "a.csv", contents.encode())
    except InputError as error:
        assert "cannot be told" in str(error) or "name it by `text_column`" in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert "no header" in remarks[0]
        assert len(found) == contents.count("\n")
    assert texts(tmp_path / "a.csv", contents.encode(), "column_1")[0]


def test_a_named_column_settles_the_header(tmp_path: Path) -> None:
    contents = b"fine,good\nbad,poor\n"
    assert texts(tmp_path / "a.csv", contents, "fine") == (("bad",), [])
    found, (remark,) = texts(tmp_path / "a.csv", contents, "column_1")
    assert (found, remark.partition(";")[0]) == (("fine", "bad"), "no header, as its first line is data")
    with pytest.raises(InputError, match=r"cannot be told \(fine, good\); put a line before it"):
        texts(tmp_path / "a.csv", contents)


def test_labels_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("I loved it.,positive\nIt was dreadful.,negative\n")
    rows = read_labelled(path, Selection(), SILENT)
    assert [tuple(row) for row in rows] == [(1, "I loved it.", "positive"), (2, "It was dreadful.", "negative")]


@pytest.mark.parametrize(
    ("name", "good", "bad", "options"),
    [
        ("a.csv", b"text,label\n%s,1\n", b"b\xffd", {}),
        ("a.csv", b"text,label\n%s,1\n", b"b\0d", {}),
        ("a.tsv", b"text\tlabel\n%s\t1\n", b"b\xffd", {}),
        ("a.tsv", b"text\tlabel\n%s\t1\n", b"b\0d", {}),
        ("a.jsonl", b'{"text": "x", "label": 1}\n{"text": "%s", "label": 1}\n', b"b\xffd", {}),
        ("a.jsonl", b'{"text": "x", "label": 1}\n{"text": "%s", "label": 1}\n', b"b\0d", {}),
        ("a.json", b'[{"text": "x", "label": 1},\n{"text": "%s", "label": 1}\n]', b"b\xffd", {}),
        ("a.json", b'[{"text": "x", "label": 1},\n{"text": "%s", "label": 1}\n]', b"b\0d", {}),
        ("a.csv", b"text,label\n%s,1\n", b"b\x81d", {"encoding": "cp1252"}),
    ],
)
def test_what_is_not_text_never_passes(tmp_path: Path, name: str, good: bytes, bad: bytes, options: dict[str, str]) -> None:
    path = tmp_path / name
    path.write_bytes(good % b"fine")
    whole = read_labelled(path, Selection(**options), SILENT)  # type: ignore[arg-type]
    path.write_bytes(good % bad)
    with pytest.raises(InputError, match=r"1 rows cannot be used: line 2 \((not (UTF-8|CP1252|JSON)|a NUL in it)\)"):
        read_labelled(path, Selection(**options), SILENT)  # type: ignore[arg-type]
    remarks = Remarks()
    assert read_labelled(path, Selection(skip_bad=True, **options), remarks) == whole[:-1]  # type: ignore[arg-type]
    assert "1 rows left out that cannot be used: line 2" in remarks.heard[-1]


@pytest.mark.parametrize(
    ("contents", "kept", "bad"),
    [
        (b'[{"text": "a"},\n{"text": "b" "c"},\n{"text": "d"}]', ["a", "d"], [(2, "not JSON")]),
        (b'[{"text": "a"},\n{"text": "he said "no"},\n{"text": "d"}]', ["a", "d"], [(2, "not JSON")]),
        (b'[{"text": "a"}, 3, [1, {}], null, {}, "x"]', ["a"], [(1, "not a JSON object, or an empty one")] * 5),
        (b'[{"text": "a"},\n{"text": ', ["a"], [(2, "not JSON, from here to the end"), (2, "the array does not end")]),
        (b'[{"text": "a"},\n', ["a"], [(2, "the array does not end")]),
        (b'[{"text": "a"}]\n{}', ["a"], [(2, "more after the end of the array")]),
        (
            b'[{"text": "a"},\n{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b'},\n{"text": "d"}]',
            ["a", "d"],
            [(2, "not JSON")],
        ),
    ],
)
def test_broken_values_of_an_array(tmp_path: Path, contents: bytes, kept: list[str], bad: list[tuple[int, str]]) -> None:
    (tmp_path / "a.json").write_bytes(contents)
    with open_table(tmp_path / "a.json") as table:
        records = [*table.records]
    assert [record.cells[0] for record in records if not record.problem] == kept
    found = [(record.line, record.problem) for record in records if record.problem]
    assert [(line, problem[: len(wanted)]) for (line, problem), (_, wanted) in zip(found, bad, strict=True)] == bad


@pytest.mark.parametrize(
    ("name", "contents", "options", "expected"),
    [
        ("a.csv.gz", b"text\nfine\n", {}, "not compressed as its ending .gz says"),
        ("a.csv.gz", gzip.compress(b"text\n" + os.urandom(9000).hex().encode())[:-4000], {}, "cannot be read to its end"),
        (
            "a.csv",
            "text\ncaf\xe9\n".encode("cp1252"),
            {},
            "line 2 (not UTF-8); correct them; if all is in another encoding",
        ),
        (
            "a.csv",
            "caf\xe9,text\nfine,x\n".encode("cp1252"),
            {},
            "not text in UTF-8; save it so, or name its encoding by `encoding`",
        ),
        ("a.csv", b"text\nfine\n", {"encoding": "klingon"}, "`encoding`: 'klingon' is no encoding that is known"),
        ("a.csv", b"text\nfine\n", {"encoding": "base64"}, "`encoding`: 'base64' is no encoding"),
        ("a.csv", b"text\nfine\n", {"encoding": "a\0b"}, "`encoding`: 'a"),
        ("a.parquet", b"text\nfine\n", {}, "not Parquet ("),
        ("a.parquet", b"", {}, "not Parquet ("),
        ("a.json", b"[]", {}, "names no columns (no object)"),
        ("a.json", b"[1]", {}, "names no columns (not a JSON object"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, contents: bytes, options: dict[str, str], expected: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="needs the extra parquet")
    with pytest.raises(InputError) as raised:
        texts(tmp_path / name, contents, **options)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_format_is_wrong_usage() -> None:
    with pytest.raises(OptionError, match="`input_format`: 'xls' is not one of csv, tsv"):
        ReadOptions("xls")  # type: ignore[arg-type]


def test_the_format_may_be_named(tmp_path: Path) -> None:
    assert texts(tmp_path / "a.csv", b"text,label\n", input_format="lines") == (("text,label",), [])
    assert texts(tmp_path / "a.txt", b"text,label\nfine,1\n", input_format="csv") == (("fine",), [])
    assert texts(tmp_path / "a.csv", "text\ncaf\xe9\n".encode("cp1252"), encoding="cp1252") == (("caf\xe9",), [])


def test_libraries_that_are_absent_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_ZSTD", ("no_such_module_here",))
    with pytest.raises(InputError, match="pip install zstandard"):
        texts(tmp_path / "a.csv.zst", b"\x28\xb5\x2f\xfd\0\0")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra, match=r"pip install 'sentiment-edge\[parquet\]'"):
        texts(tmp_path / "a.parquet", b"PAR1")


@pytest.mark.parametrize(
    ("parts", "form"),
    [
        ((b"id,text\n1,fine\n", b"2,bad\n"), None),
        ((b'{"text": "fine"}\n', b'{"text": "bad"}\n'), None),
        ((b'[{"text": "fine"}\n', b',{"text": "bad"}]\n'), "json"),
        ((b"fine\n", b"bad"), "lines"),
    ],
)
def test_rows_of_a_pipe_come_as_they_are_written(
    monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, bytes], form: Any
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as raw, os.fdopen(writing, "wb", buffering=0) as out:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
        out.write(parts[0])
        with open_table(Path("-"), ReadOptions(form)) as table:
            at = table.columns.index("text")
            assert next(table.records).cells[at] == "fine"
            out.write(parts[1])
            out.close()
            assert [record.cells[at] for record in table.records] == ["bad"]
            assert table.name == "stdin"


def test_evaluate_takes_them(command: Command, tmp_path: Path) -> None:
    contents = "text;label\ncaf\xe9, I loved it;positive\nDreadful;negative\n".encode("cp1252")
    (tmp_path / "a.dat.gz").write_bytes(gzip.compress(contents))
    done = command("evaluate", "--data", tmp_path / "a.dat.gz", "--input-format", "csv", "--encoding", "cp1252")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, b"gru-mini-int8 on a.dat.gz: 2 rows")
    assert done.stderr.count(b"separated by ';'") == 1
    done = command("evaluate", "--data", "-", stdin=b'[{"text": "I loved it", "label": 2}, {"text": "Dreadful", "label": 1}]')
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"--map, such as '1=negative,2=positive'" in done.stderr
    done = command("evaluate", "--data", tmp_path / "a.dat.gz", "--encoding", "klingon")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
