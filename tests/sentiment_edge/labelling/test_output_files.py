"""The places that `predict` writes to: a file beside its name until it is whole, a folder, a device, a pipe, a link."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import stat
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from helpers.invocation import invoke
from helpers.predicting import LABELLED, TABLE, contents_of, refused

BAD = TABLE + b"3,too,many\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE)
    return path


def test_a_file_holds_what_stdout_would(table: Path, tmp_path: Path) -> None:
    done = invoke("predict", "--input", table, "--output", tmp_path / "out.csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert contents_of(tmp_path) == {"a.csv": TABLE, "out.csv": LABELLED}
    assert invoke("predict", "--input", table).stdout == LABELLED


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_file_gets_the_usual_permissions(table: Path, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert invoke("predict", "--input", table, "--output", tmp_path / "out.csv").returncode == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.jsonl", "jsonl"), ("a.ndjson", "jsonl"), ("a.JSON", "json"), ("a.tab", "tsv"), ("a", "csv"), ("a.txt", "csv")],
)
def test_the_ending_tells_the_format_unless_it_is_said(table: Path, tmp_path: Path, name: str, form: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert invoke("predict", "--input", table, "--output", folder / name).returncode == 0
    assert contents_of(folder) == {name: invoke("predict", "--input", table, "--format", form).stdout}
    assert invoke("predict", "--input", table, "--output", folder / name, "--format", "tsv").returncode == 0
    assert contents_of(folder) == {name: invoke("predict", "--input", table, "--format", "tsv").stdout}


def test_several_inputs_follow_each_other_in_one_file(table: Path, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"id;text\n3;Dull.\n")
    done = invoke("predict", "--input", table, "--input", tmp_path / "b.csv", "--output", tmp_path / "both.csv")
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "both.csv").read_text())))
    assert [(row["id"], row["text"], row["label"]) for row in rows] == [
        ("1", "I loved it.", "positive"),
        ("2", "Dreadful.", "negative"),
        ("3", "Dull.", "negative"),
    ]


def write_parquet(path: Path, key: Any) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    pytest.importorskip("pyarrow.parquet").write_table(pa.table({"id": [key], "text": ["Dull."]}), path)


def read_rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()  # type: ignore[no-any-return]
    text = path.read_text("utf-8")
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(text)))
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
@pytest.mark.parametrize("order", [*permutations(["a.csv", "a.jsonl", "a.parquet"])], ids=",".join)
def test_inputs_of_several_formats_follow_each_other(tmp_path: Path, order: tuple[str, ...], form: str) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,text\n7,Dull.\n")
    (tmp_path / "a.jsonl").write_bytes(b'{"id": 7, "text": "Dull."}\n')
    write_parquet(tmp_path / "a.parquet", 7)
    out = tmp_path / f"out.{form}"
    done = invoke("predict", *(part for name in order for part in ("--input", tmp_path / name)), "--output", out)
    if form == "parquet" and order[0] == "a.parquet":  # whose ids are numbers
        assert done.returncode == 1
        assert b"the column 'id' is string here, and int64 in the file before it; label it by itself" in done.stderr
        return
    assert (done.returncode, done.stderr) == (0, b"")
    assert [(str(row["id"]), row["text"], row["label"]) for row in read_rows(out)] == [("7", "Dull.", "negative")] * 3


def test_parquet_of_other_types_is_no_one_file(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", 7)
    write_parquet(tmp_path / "b.parquet", "seven")
    flags = ("--input", tmp_path / "a.parquet", "--input", tmp_path / "b.parquet")
    before = contents_of(tmp_path)
    line = refused(*flags, "--output", tmp_path / "both.parquet")
    assert line.startswith(
        f"sentiment-edge: {tmp_path / 'b.parquet'}: the column 'id' is string here, and int64 in the file before it; "
    )
    assert contents_of(tmp_path) == before
    assert invoke("predict", *flags, "--output", tmp_path / "both.csv").returncode == 0


def test_inputs_of_other_columns_are_no_one_file(table: Path, tmp_path: Path) -> None:
    for name, other in (("b.csv", b"text,id\nDull.,3\n"), ("b.txt", b"Dull.\n"), ("b.jsonl", b'{"text": "Dull."}\n')):
        (tmp_path / name).write_bytes(other)
        done = invoke("predict", "--input", table, "--input", tmp_path / name, "--output", tmp_path / "both.jsonl")
        assert done.returncode == 1
        (error,) = done.stderr.decode().splitlines()
        assert error.startswith(f"sentiment-edge: {tmp_path / name}: its columns (")
        assert error.endswith(
            "are not those of " + str(table) + " (id, text); give a folder by --output, or label it by itself"
        )
        assert not [*tmp_path.glob("both.jsonl*")]
        folder = tmp_path / f"from {Path(name).suffix[1:]}"
        assert invoke("predict", "--input", table, "--input", tmp_path / name, "--output", folder).returncode == 0
        assert len(contents_of(folder)) == 2


def test_a_folder_gets_a_file_for_each_input(table: Path, tmp_path: Path) -> None:
    inputs = {
        table.name: TABLE,
        "b.tsv": b"text\nfine\n",
        "c.tab": b"text\tn\nfine\t1\n",
        "d.jsonl.gz": gzip.compress(b'{"text": "fine"}\n'),
        "e.ndjson": b'{"text": "fine"}\n',
        "f.txt": b"fine\n",
        "g.json": b'[{"text": "fine"}]',
        "h.2024": b"text,n\nfine,1\n",
    }
    for name, each in inputs.items():
        (tmp_path / name).write_bytes(each)
    flags = [part for name in inputs for part in ("--input", str(tmp_path / name))]
    done = invoke("predict", *flags, "--output", tmp_path / "new", "--text-column", "text")
    assert done.returncode == 1  # lines have no columns, which is found out before the first file is labelled
    assert not (tmp_path / "new").exists()
    done = invoke("predict", *flags, "--output", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    made = contents_of(tmp_path / "new")
    assert {*made} == {"a.csv", "b.tsv", "c.tab", "d.jsonl", "e.ndjson", "f.tsv", "g.json", "h.csv"}
    assert made["a.csv"] == LABELLED
    assert made["f.tsv"].endswith(b"\tfine\n")
    assert made["e.ndjson"] == made["d.jsonl"]
    done = invoke("predict", *flags, "--output", tmp_path / "new", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert {f"{letter}.json" for letter in "abcdefgh"} == {*contents_of(tmp_path / "new")} - {*made} | {"g.json"}


def test_two_inputs_of_one_name_are_no_folder(table: Path, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.csv").write_bytes(TABLE)
    line = refused("--input", table, "--input", tmp_path / "sub" / "a.csv", "--output", tmp_path / "new", status=2)
    assert "two inputs would become one file in --output: a.csv" in line
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.jsonl", "out.json", "out.parquet"])
def test_an_error_leaves_what_was_there(table: Path, tmp_path: Path, name: str) -> None:
    table.write_bytes(BAD)
    (tmp_path / name).write_bytes(b"of yesterday")
    assert "line 4 (3 columns" in refused("--input", table, "--output", tmp_path / name)
    assert contents_of(tmp_path) == {"a.csv": BAD, name: b"of yesterday"}
    assert invoke("predict", "--input", table, "--output", tmp_path / name, "--skip-bad").returncode == 0
    assert {*contents_of(tmp_path)} == {"a.csv", name}
    assert (tmp_path / name).read_bytes() != b"of yesterday"


def test_the_input_is_not_replaced(table: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(table)
    (tmp_path / "part").mkdir()
    for name in ("x.csv.part", "x.csv.part.json"):
        (tmp_path / "part" / name).write_bytes(TABLE)
    for source, output in (
        (table, table),
        (table, tmp_path / "link.csv"),
        (tmp_path / "link.csv", table),
        (table, tmp_path / "part" / ".." / "a.csv"),
        (table, tmp_path),
        (tmp_path / "part" / "x.csv.part", tmp_path / "part" / "x.csv"),
        (tmp_path / "part" / "x.csv.part.json", tmp_path / "part" / "x.csv"),
    ):
        before = contents_of(tmp_path), contents_of(tmp_path / "part")
        line = refused("--input", source, "--output", output, "--input-format", "csv")
        assert line.endswith("--output would replace the input; give it another name")
        assert (contents_of(tmp_path), contents_of(tmp_path / "part")) == before


def test_an_input_that_is_read_later_is_not_replaced(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    for name in ("a.csv", "a.csv.part"):
        (folder / name).write_bytes(TABLE)
        for output in (folder, folder / "a.csv"):
            if output == folder and name == "a.csv":
                continue  # two of one name, see above
            line = refused("--input", table, "--input", folder / name, "--output", output)
            assert line == f"sentiment-edge: {folder / 'a.csv'}: --output would replace the input; give it another name"
            assert contents_of(folder) == {name: TABLE}
        (folder / name).unlink()


def test_wrong_usage_is_refused_in_one_line(table: Path, tmp_path: Path) -> None:
    given, out = ("--input", table), tmp_path / "out.csv"
    before = contents_of(tmp_path)
    for wanted, arguments in (
        ("--resume goes with --output FILE", ["--resume"]),
        ("--resume goes with --output FILE", [*given, "--resume"]),
        ("it needs one file", ["--resume", "--output", out]),
        ("it needs one file", [*given, "--input", table, "--resume", "--output", out]),
        ("it needs one file", [*given, "--resume", "--output", tmp_path / "out.json"]),
        ("it needs one file", [*given, "--resume", "--output", tmp_path / "out.parquet"]),
        ("--resume goes with one --input and an --output FILE", [*given, "--resume", "--output", tmp_path]),
        ("--resume goes with one --input and an --output FILE", [*given, *given, "--resume", "--output", tmp_path / "new"]),
        ("stdin has no name for a file in it", ["--output", tmp_path]),
        ("stdin has no name for a file in it", [*given, "--input", "-", "--output", tmp_path / "new"]),
        ("leave .gz out", [*given, "--output", tmp_path / "out.csv.gz"]),
        ("leave .ZST out", [*given, "--output", tmp_path / "out.csv.ZST"]),
    ):
        assert wanted in refused(*arguments, status=2, stdin=TABLE)
        assert contents_of(tmp_path) == before
        assert not (tmp_path / "new").exists()


def test_no_folder_to_write_in(table: Path, tmp_path: Path) -> None:
    line = refused("--input", table, "--output", tmp_path / "nowhere" / "out.csv")
    assert (
        line == f"sentiment-edge: {tmp_path / 'nowhere' / 'out.csv'}: there is no folder {tmp_path / 'nowhere'} to write it in"
    )


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden here")
def test_a_folder_that_may_not_be_written_in(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert (
        refused("--input", table, "--output", folder / "out.csv") == f"sentiment-edge: {folder / 'out.csv'}: Permission denied"
    )
