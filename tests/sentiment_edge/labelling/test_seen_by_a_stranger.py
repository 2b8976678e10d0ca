"""`predict` with files, shells and habits that its makers did not think of at first."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import stat
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from helpers.invocation import invoke
from helpers.predicting import LABELLED, TABLE, contents_of, refused

if TYPE_CHECKING:
    from pathlib import Path

PREDICT = f"{sys.executable} -m sentiment_edge predict"
LATE_QUOTES = b"text\tid\n" + b"fine\t1\n" * 12_000 + b'"I loved it\t2\nhe said"\t3\nsay "hi"\t4\n'


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    bash = shutil.which("bash") or pytest.skip("no bash here")
    return subprocess.run([bash, "-c", script], cwd=folder, capture_output=True, check=False, timeout=120)


def test_quotes_of_a_tsv_are_literal_wherever_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "late.tsv").write_bytes(LATE_QUOTES)
    (tmp_path / "late.tsv.gz").write_bytes(gzip.compress(LATE_QUOTES))
    whole = invoke("predict", "--input", tmp_path / "late.tsv")
    assert whole.stdout.splitlines()[-1].startswith(b'say "hi"\t4\t')
    assert whole.stdout.count(b"\n") == LATE_QUOTES.count(b"\n")
    assert invoke("predict", "--input", tmp_path / "late.tsv.gz").stdout == whole.stdout
    assert invoke("predict", "--input-format", "tsv", stdin=LATE_QUOTES).stdout == whole.stdout


def test_a_file_that_stdout_goes_into_is_added_to(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE)
    done = shell(f"echo precious > all.csv; {PREDICT} --input a.csv --output /dev/stdout >> all.csv", tmp_path)
    assert done.returncode == 0, done.stderr
    assert contents_of(tmp_path)["all.csv"] == b"precious\n" + LABELLED


@pytest.mark.parametrize("source", ["--input lines.txt", "< lines.txt"])
def test_an_input_that_stdout_goes_into_is_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "lines.txt").write_bytes(b"fine\n" * 20_000)
    done = shell(f"{PREDICT} {source} >> lines.txt", tmp_path)
    assert (done.returncode, done.stderr.count(b"stdout goes into it; write to another file")) == (1, 1)
    assert contents_of(tmp_path) == {"lines.txt": b"fine\n" * 20_000}


def test_numbers_of_json_keep_their_written_form(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{\n  "text": "a\\nb",\r\n  "v": 1.10, "x": 1e400,\n  "n": 0.1000000000000000055\n}\n')
    kept = b'{ "text": "a\\nb", "v": 1.10, "x": 1e400, "n": 0.1000000000000000055, "label": '
    assert invoke("predict", "--input", tmp_path / "a.json", "--format", "jsonl").stdout.startswith(kept)
    assert b"\r\n" not in (done := invoke("predict", "--input", tmp_path / "a.json", "--format", "csv").stdout)
    assert b'"a\nb",1.10,1e400,0.1000000000000000055,' in done


def test_keys_of_a_log_may_change(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"event": "start"}\n{"text": "I loved it.", "event": "say"}\n{"error": "x"}\n')
    for options in ((), ("--text-column", "text")):
        done = invoke("predict", "--input", tmp_path / "a.jsonl", *options)
        assert done.returncode == 0
        assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == [None, "positive", None]
        assert b"2 rows without a text got no label" in done.stderr
    done = invoke("predict", "--input", tmp_path / "a.jsonl", "--format", "csv")
    assert done.stdout.splitlines()[0] == b"event,text,error,label,score"


@pytest.mark.parametrize("contents", ['{"text": {"0": "good", "1": "bad"}}', '{"data": [{"text": "good"}]}'])
def test_an_object_in_the_place_of_a_text(tmp_path: Path, contents: str) -> None:
    (tmp_path / "a.json").write_text(contents)
    done = invoke("predict", "--input", tmp_path / "a.json", "--format", "csv")
    assert (done.returncode, done.stdout.count(b"\n")) == (1, 1)
    assert b"line 1 (no text there, but a list, an object or the like)" in done.stderr


def test_parquet_of_odd_types(tmp_path: Path) -> None:
    pa: Any = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    pq: Any = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.csv"  # the first bytes tell that it is Parquet
    times = pa.array([1], pa.timestamp("us", "Mars/Base"))
    pq.write_table(pa.table({"text": ["fine"], "time": times, "raw": [b"\xff\x00"]}), path)
    done = invoke("predict", "--input", path, "--format", "csv")
    assert done.stdout.splitlines()[1].startswith(b"fine,1970-01-01 00:00:00.000001Z,/wA=,positive")
    pq.write_table(pa.table({"text": [["fine"]]}), path)
    assert b"row 1 (no text there, but a list" in invoke("predict", "--input", path, "--format", "csv").stderr
    for name, kind in (("f4", pa.float32()), ("f8", pa.float64())):
        pq.write_table(pa.table({"text": ["fine"], "x": pa.array([0.1], kind)}), tmp_path / name)
    done = invoke("predict", "--input", tmp_path / "f4", "--input", tmp_path / "f8", "--output", tmp_path / "o.parquet")
    assert (done.returncode, b"the column 'x' is double here, and float in the file before it" in done.stderr) == (1, True)
    assert not [*tmp_path.glob("o.parquet*")]


def test_tsv_of_quotes_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b'text\tid\nsay "x" y\t3\n')
    (tmp_path / "b.tsv").write_bytes(b'text\tid\n"a\tb\nc"\t4\n')
    done = invoke("predict", "--input", tmp_path / "a.tsv", "--input", tmp_path / "b.tsv")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"b.tsv: line 2 has a tab or a line end in a cell" in done.stderr


def test_long_cells_beside_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,html\nfine," + b"x" * 300_000 + b"\n" + b"good " * 250_000 + b",y\n")
    done = invoke("predict", "--input", tmp_path / "a.csv")
    assert [line.split(b",")[-2] for line in done.stdout.splitlines()[1:]] == [b"positive"] * 2


def test_workbooks_and_endings_without_a_format(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", "b")
    (tmp_path / "a.xlsx").write_bytes(packed.getvalue())
    (tmp_path / "a.csv").write_bytes(TABLE)
    assert refused("--input", tmp_path / "a.xlsx").endswith("save it as csv, or give what is in it")
    line = refused("--input", tmp_path / "a.csv", "--output", tmp_path / "o.xlsx", status=2)
    assert line.endswith("--output ends in .xlsx, which names no format; choose one by --format")
    assert invoke("predict", "--input", tmp_path / "a.csv", "--output", tmp_path / "o.xlsx", "--format", "csv").returncode == 0


def test_the_mode_of_an_output_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE)
    (tmp_path / "o.csv").touch(mode=0o600)
    assert invoke("predict", "--input", tmp_path / "a.csv", "--output", tmp_path / "o.csv").returncode == 0
    assert stat.S_IMODE((tmp_path / "o.csv").stat().st_mode) == 0o600
