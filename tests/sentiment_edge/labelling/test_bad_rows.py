"""Rows that cannot be read: the first stops the run and is named, or all are left out, counted and named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.invocation import invoke
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD = [("1", "I loved it."), ("2", "Dreadful."), ("3", "fine; 好"), ("4", "It was dull, and far too long.")]
SOME = settings(max_examples=8)


def csv_row(key: str, text: str) -> bytes:
    return f'{key},"{text}"\n'.encode()


def tsv_row(key: str, text: str) -> bytes:
    return f"{key}\t{text}\n".encode()


def json_row(key: str, text: str) -> bytes:
    return json.dumps({"id": key, "text": text}).encode()


def jsonl_row(key: str, text: str) -> bytes:
    return json_row(key, text) + b"\n"


FORMATS: dict[str, tuple[bytes, Callable[[str, str], bytes], bytes, bytes]] = {
    "csv": (b"id,text\n", csv_row, b"", b""),
    "tsv": (b"id\ttext\n", tsv_row, b"", b""),
    "jsonl": (b"", jsonl_row, b"", b""),
    "json": (b"[\n", json_row, b",\n", b"\n]\n"),
}
"""By format what begins a table, writes a row, stands between rows and ends the table."""
BAD: dict[str, dict[bytes, str]] = {
    "csv": {
        b"9,too,many\n": "3 columns, where the header has 2",
        b"few\n": "1 columns, where the header has 2",
        b'9,"a" b\n': "not csv: ",
        b"9,\0 nul\n": "a NUL in it",
        b"9,caf\xe9\n": "not UTF-8",
        b"9\xff,fine\n": "not UTF-8",
        b"9," + b"long " * 900_000 + b"\n": "more than 4194304 characters in a cell",
    },
    "tsv": {
        b"9\ttoo\tmany\n": "3 columns, where the header has 2",
        b"few\n": "1 columns, where the header has 2",
        b"9\t\0 nul\n": "a NUL in it",
        b"9\tcaf\xe9\n": "not UTF-8",
    },
    "jsonl": {
        b'{"id": "9", "text": \n': "not JSON",
        b"no JSON\n": "not JSON",
        b"[1]\n": "not a JSON object, or an empty one",
        b"{}\n": "not a JSON object, or an empty one",
        b'{"id": "9", "text": "\0"}\n': "a NUL in it",
        b'{"id": "9", "text": "caf\xe9"}\n': "not UTF-8",
        b'{"id": "9", "text": ["fine"]}\n': "no text there, but a list, an object or the like",
    },
    "json": {
        b'{"id": "9", "text": }': "not JSON",
        b"7": "not a JSON object, or an empty one",
        b"[{}]": "not a JSON object, or an empty one",
        b'{"id": "9", "text": "caf\xe9"}': "not UTF-8",
        b'{"id": "9", "text": {"de": "fine"}}': "no text there, but a list, an object or the like",
    },
}
KINDS = [(form, row) for form, rows in BAD.items() for row in rows]


def table(form: str, rows: list[bytes]) -> bytes:
    before, _, between, after = FORMATS[form]
    return before + between.join(rows) + after


def good(form: str) -> list[bytes]:
    return [FORMATS[form][1](*row) for row in GOOD]


def line_of(form: str, number: int) -> int:
    """Return the line that a row is on, counted from 0."""
    return number + (1 if form == "jsonl" else 2)


def labelled(path: Path, contents: bytes, *options: str) -> tuple[int, bytes, list[str]]:
    path.write_bytes(contents)
    done = invoke("predict", "--input", path, *options)
    return done.returncode, done.stdout, done.stderr.decode().splitlines()


@pytest.mark.parametrize(("form", "row"), KINDS, ids=[f"{form}-{number}" for number, (form, _) in enumerate(KINDS)])
def test_a_bad_row_stops_the_run_or_is_left_out(tmp_path: Path, form: str, row: bytes) -> None:
    path, rows, problem = tmp_path / f"a.{form}", good(form), BAD[form][row]
    _, whole, _ = labelled(path, table(form, rows))
    _, before, _ = labelled(path, table(form, rows[:2]))
    broken = table(form, [*rows[:2], row, *rows[2:]])
    status, stdout, lines = labelled(path, broken)
    named = f"line {line_of(form, 2)} ({problem}"
    assert (status, stdout) == (1, before.removesuffix(b"\n]\n"))
    assert len(lines) == 1
    assert lines[0].startswith(f"sentiment-edge: {path}: 1 rows cannot be used: {named}")
    assert "correct them, or leave such rows out by --skip-bad" in lines[0]
    assert ("name it by --encoding" in lines[0]) == (problem == "not UTF-8")
    status, stdout, lines = labelled(path, broken, "--skip-bad")
    assert (status, stdout) == (0, whole)
    assert len(lines) == 1
    assert lines[0].startswith(f"sentiment-edge: {path}: 1 rows left out that cannot be used: {named}")


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_an_added_name_that_is_taken_only_far_below(tmp_path: Path, form: str) -> None:
    path, row = tmp_path / f"a.{form}", FORMATS[form][1]
    near, far = [row("1", "fine " * 10)] * 10, [row("1", "fine " * 10)] * 1200
    taken = b'{"id": "9", "text": "fine", "score": 5}' + b"\n" * (form == "jsonl")
    status, stdout, lines = labelled(path, table(form, [*near, taken]))
    assert (status, stdout.count(b'"predicted_score"'), stdout.count(b'"score": 5')) == (0, 11, 1)
    assert lines[0].endswith("so the new ones are named predicted_score instead of score")
    status, stdout, lines = labelled(path, table(form, [*far, taken]))
    assert (status, stdout.count(b'"score"')) == (1, 1200)
    assert f"line {line_of(form, 1200)} (an entry 'score', which the first rows have not)" in lines[0]


@SOME
@given(data=st.data())
@pytest.mark.parametrize("form", [*FORMATS])
def test_any_number_of_bad_rows_is_counted(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, form: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"many.{form}"
    bad = st.sampled_from([row for row in BAD[form] if len(row) < 1000])
    rows = good(form)[:1] + data.draw(st.lists(bad | st.sampled_from(good(form)), max_size=12))
    status, stdout, lines = labelled(path, table(form, rows), "--skip-bad")
    _, expected, _ = labelled(path, table(form, [row for row in rows if row in good(form)]))
    assert (status, stdout) == (0, expected)
    places = [line_of(form, number) for number, row in enumerate(rows) if row not in good(form)]
    found = [f"line {place} ({BAD[form][rows[place - line_of(form, 0)]]}" for place in places]
    assert len(lines) == bool(places)
    if places:
        assert lines[0].startswith(f"sentiment-edge: {path}: {len(places)} rows left out that cannot be used: ")
        assert all(each in lines[0] for each in found[:5])
        assert lines[0].endswith(", ...") == (len(places) > 5)


@pytest.mark.parametrize(("more", "problem"), [(b"6,x\n", "unexpected end of data"), (b"", "',' expected after '\"'")])
def test_a_quotation_mark_that_is_never_closed(tmp_path: Path, more: bytes, problem: str) -> None:
    path, rows = tmp_path / "a.csv", good("csv")
    after = [more] if more else rows  # of which the open cell takes in all, or the first
    _, whole, _ = labelled(path, table("csv", rows if more else [*rows, *rows[1:]]))
    _, before, _ = labelled(path, table("csv", rows))
    broken = table("csv", [*rows, b'5,"never closed\n', *after])
    status, stdout, lines = labelled(path, broken)
    assert (status, stdout) == (1, before)
    assert [f"{path}: 1 rows cannot be used: line 6 (not csv: {problem})" in line for line in lines] == [True]
    status, stdout, lines = labelled(path, broken, "--skip-bad")
    assert (status, stdout) == (0, whole)
    assert [f"{path}: 1 rows left out that cannot be used: line 6 (not csv: {problem})" in line for line in lines] == [True]


@pytest.mark.parametrize("end", [b"", b",", b',\n{"id": "5", "te', b'\n]\n{"id": "5", "text": "more"}'])
def test_an_array_that_is_cut_short(tmp_path: Path, end: bytes) -> None:
    path, rows = tmp_path / "a.json", good("json")
    _, whole, _ = labelled(path, table("json", rows))
    broken = table("json", rows).removesuffix(b"\n]\n") + end
    status, stdout, lines = labelled(path, broken)
    assert (status, stdout) == (1, whole.removesuffix(b"\n]\n"))
    assert [f"{path}: 1 rows cannot be used: line " in line for line in lines] == [True]
    status, stdout, lines = labelled(path, broken, "--skip-bad")
    assert (status, stdout) == (0, whole)
    assert [" rows left out that cannot be used: line " in line for line in lines] == [True]


def damaged(values: list[bytes]) -> Any:
    """Return a column of strings that are what they are."""
    pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    return pa.array(values, pa.binary()).view(pa.string())


def parquet(**columns: Any) -> bytes:
    pa, file = pytest.importorskip("pyarrow", reason="needs the extra parquet"), io.BytesIO()
    pytest.importorskip("pyarrow.parquet").write_table(pa.table(columns), file)
    return file.getvalue()


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json"])
@pytest.mark.parametrize("where", ["text", "note", "kinds", "bytes"])
def test_a_parquet_string_that_is_not_text(tmp_path: Path, where: str, form: str) -> None:
    path, column = tmp_path / "a.parquet", damaged([b"fine", b"I loved it.", b"caf\xe9", b"dull"])
    if where == "bytes":
        column = column.view("binary")
    name = "text" if where == "bytes" else where
    columns = {"text": ["a", "b", "c", "d"], name: column.dictionary_encode() if where == "kinds" else column}
    whole, kept = parquet(**columns), {name: [values[row] for row in (0, 1, 3)] for name, values in columns.items()}
    status, stdout, lines = labelled(path, whole, "--format", form)
    named = "row 3 (not UTF-8)" if name == "text" else f"row 3 (not UTF-8 in the column {name!r})"
    assert status == 1
    assert stdout.count(b"positive") + stdout.count(b"negative") >= 2
    assert lines == [
        f"sentiment-edge: {path}: 1 rows cannot be used: {named}; correct them, or leave such rows out by --skip-bad"
    ]
    status, stdout, lines = labelled(path, whole, "--format", form, "--skip-bad")
    assert lines == [f"sentiment-edge: {path}: 1 rows left out that cannot be used: {named}"]
    plain = {each: [str(value) for value in values] for each, values in kept.items() if each != name}
    expected = labelled(
        path, parquet(**plain, **{name: ["fine", "I loved it.", "dull"]}), "--format", form, "--text-column", "text"
    )
    assert (status, stdout) == (0, expected[1])


def test_parquet_keeps_what_is_not_text_beside_the_texts(tmp_path: Path) -> None:
    pq, path, out = pytest.importorskip("pyarrow.parquet"), tmp_path / "a.parquet", tmp_path / "out.parquet"
    path.write_bytes(parquet(text=["fine", "dull"], note=damaged([b"a", b"\xff"])))
    done = invoke("predict", "--input", path, "--output", out)
    assert (done.returncode, done.stderr) == (0, b"")
    assert pq.read_table(out).column("note").cast("binary").to_pylist() == [b"a", b"\xff"]


def test_times_that_python_has_not_are_texts(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    times = pa.array([10**18 + 1, 10**18], pa.timestamp("ns")), pa.array([10**15, 0], pa.timestamp("s"))
    contents = parquet(text=["fine", "dull"], fine=times[0], far=times[1])
    for form in ("csv", "jsonl"):
        status, stdout, lines = labelled(tmp_path / "a.parquet", contents, "--format", form)
        assert (status, lines) == (0, [])
        assert b"2001-09-09 01:46:40.000000001" in stdout.splitlines()[-2]
        assert b"2001-09-09 01:46:40" in stdout.splitlines()[-1]
        assert b"1970-01-01 00:00:00" in stdout.splitlines()[-1]
    lists = pa.ListArray.from_arrays([0, 1, 2], times[1])
    nested = parquet(text=["fine", "dull"], nested=pa.StructArray.from_arrays([lists, lists], ["a", "b"]), lists=lists)
    status, stdout, lines = labelled(tmp_path / "a.parquet", nested, "--format", "jsonl")
    assert (status, lines) == (0, [])
    found = [json.loads(line) for line in stdout.splitlines()]
    assert found[1]["nested"] == {"a": ["1970-01-01 00:00:00"], "b": ["1970-01-01 00:00:00"]}
    assert found[0]["nested"]["a"] == found[0]["lists"]
    assert found[0]["lists"][0].startswith("<value out of range")


@pytest.mark.parametrize("skip", [False, True])
def test_lines_are_labelled_as_far_as_they_can_be_read(tmp_path: Path, skip: bool) -> None:
    path, bad = tmp_path / "a.txt", [b"Dreadful, caf\xe9\n", b"I loved\0 it.\n"]
    status, stdout, lines = labelled(path, b"fine\n" + b"".join(bad) + b"dull\n", "--format", "jsonl", *["--skip-bad"] * skip)
    texts = [json.loads(line)["text"] for line in stdout.splitlines()]
    places = "line 2 (not UTF-8), line 3 (a NUL in it)"
    assert status == 0
    assert texts == (["fine", "dull"] if skip else ["fine", "Dreadful, caf\ufffd", "I loved\0 it.", "dull"])
    assert lines == [
        f"sentiment-edge: {path}: 2 rows left out that cannot be used: {places}"
        if skip
        else f"sentiment-edge: {path}: 2 lines labelled as far as they can be read: {places}"
    ]
    _, other, _ = labelled(path, b"fine\ndull\n", "--format", "jsonl")
    assert {*other.splitlines()} <= {*stdout.splitlines()}


def test_bad_rows_of_several_files_count_for_each(tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_bytes(table("csv", [*good("csv"), b"few\n"]))
    done = invoke("predict", "--input", paths[0], "--input", paths[1], "--skip-bad")
    assert done.returncode == 0
    assert done.stderr.decode().splitlines() == [
        f"sentiment-edge: {path}: 1 rows left out that cannot be used: line 6 (1 columns, where the header has 2)"
        for path in paths
    ]


@pytest.mark.parametrize("form", [*FORMATS])
def test_the_first_row_may_be_the_bad_one(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    _, whole, _ = labelled(path, table(form, good(form)))
    for row, problem in BAD[form].items():
        if not problem.startswith("it has an entry") and (form != "jsonl" or problem.startswith(("not JSON", "not a"))):
            status, stdout, lines = labelled(path, table(form, [row, *good(form)]))
            assert (status, len(lines), stdout.count(b"positive")) == (1, 1, 0)
            status, stdout, lines = labelled(path, table(form, [row, *good(form)]), "--skip-bad")
            assert (status, len(lines), stdout) == (0, 1, whole)
