"""`export --parity-data` and `--calibration` in another encoding than UTF-8."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.invocation import invoke

from sentiment_edge import InputError

LATIN = 'id,text\n1,good caf\xe9 film\n2,"\xe9t\xe9, bad"\n'.encode("cp1252")


@pytest.fixture
def latin(tmp_path: Path) -> Path:
    path = tmp_path / "latin.csv"
    path.write_bytes(LATIN)
    return path


def test_parity_is_measured_on_them(tiny: Path, latin: Path, tmp_path: Path) -> None:
    arguments = ("--parity-data", latin, "--encoding", "cp1252", "--output", tmp_path / "out", "--json")
    done = invoke("export", "--model", tiny, *arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {each["texts"] for each in json.loads(done.stdout)["parity"]["conditions"]} == {261}


def test_it_is_of_both_files(latin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, ...]] = []

    def export(_: str, **options: Any) -> None:
        read.extend((options["gate"].texts, options["int8"].calibration))
        raise InputError("enough")

    monkeypatch.setattr("sentiment_edge_export.pipeline.export_model", export)
    (tmp_path / "mine.txt").write_bytes("d\xe9j\xe0 vu\n".encode("cp1252"))
    files = ("--parity-data", latin, "--calibration", tmp_path / "mine.txt", "--encoding", "cp1252")
    done = invoke("export", "--model", "gru-mini", "--int8", *files)
    assert (done.returncode, done.stderr) == (1, b"sentiment-edge: enough\n")
    assert read == [("good caf\xe9 film", "\xe9t\xe9, bad"), ("d\xe9j\xe0 vu",)]


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (
            ("--parity-data", "latin.csv"),
            1,
            "latin.csv: 2 rows cannot be used: line 2 (not UTF-8), line 3 (not UTF-8)",
        ),
        (("--parity-data", "latin.csv"), 1, "name it by --encoding"),
        (("--int8", "--calibration", "latin.csv"), 1, "name it by --encoding"),
        (("--parity-data", "latin.csv", "--encoding", "klingon"), 2, "--encoding: 'klingon' is no encoding"),
        (("--encoding", "cp1252"), 2, "--encoding goes with --parity-data or --calibration"),
    ],
)
def test_what_is_refused(
    latin: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int, problem: str
) -> None:
    monkeypatch.chdir(latin.parent)
    done = invoke("export", "--model", "gru-mini", *arguments)
    assert (done.returncode, done.stdout) == (status, b"")
    assert problem in done.stderr.decode().splitlines()[-1]
    assert [path.name for path in latin.parent.iterdir()] == ["latin.csv"]
