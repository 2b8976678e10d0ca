"""`predict --output`, killed while it writes and gone on with `--resume`; `tools/kill_predictions.py` does it at length."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from helpers.support import Command

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Row = tuple[str, str, str]

PROGRAM = [sys.executable, "-m", "sentiment_edge", "predict"]
COLUMNS = ("id", "text", "note")
TEXTS = ("I loved it, {}.", 'Dull, "slow"\nand {} times too long.', "naïve; 好\r\n\r\nnever again {}", "", "fine,\tas such: {}")
ROWS = [(str(number), TEXTS[number % 5].format(number), '"a", b\nc' * (number % 3)) for number in range(4500)]
FORMATS = pytest.mark.parametrize("form", ["csv", "jsonl"])


def table_of(rows: Iterable[Row], form: str) -> bytes:
    if form == "jsonl":
        return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows).encode()
    written = io.StringIO()
    csv.writer(written).writerows([COLUMNS, *rows])
    return written.getvalue().encode()


def is_killed_at(table: Path, output: Path, size: int, *options: str) -> bool:
    """Start, and kill the process once there is a journal and so much of the file; False if it was at its end before."""
    part, journal = (output.with_name(f"{output.name}.part{ending}") for ending in ("", ".json"))
    command = [*PROGRAM, "--input", str(table), "--output", str(output), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with suppress(FileNotFoundError):
                if journal.exists() and part.stat().st_size >= size:
                    process.kill()
                    return process.wait() != 0
            time.sleep(0.002)
        assert process.returncode == 0
    return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that runs make of the whole table when nothing happens to them."""
    folder, files = tmp_path_factory.mktemp("undisturbed"), {}
    for form in ("csv", "jsonl"):
        table, output = folder / f"table.{form}", folder / f"labelled.{form}"
        table.write_bytes(table_of(ROWS, form))
        subprocess.run([*PROGRAM, "--input", str(table), "--output", str(output)], check=True)
        files[form] = output.read_bytes()
    return files


def test_a_file_that_nothing_happened_to_has_every_row(undisturbed: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(undisturbed["csv"].decode(), newline="")))
    assert [(row["id"], row["text"], row["note"]) for row in rows] == ROWS
    records = [json.loads(line) for line in undisturbed["jsonl"].splitlines()]
    assert [(record["id"], record["text"], record["note"]) for record in records] == ROWS


@FORMATS
def test_a_run_that_is_killed_again_and_again_while_its_table_grows_makes_the_same_file(
    command: Command, tmp_path: Path, undisturbed: dict[str, bytes], form: str
) -> None:
    table, output = tmp_path / f"table.{form}", tmp_path / f"labelled.{form}"
    table.write_bytes(table_of(ROWS[:3500], form))
    killed = [is_killed_at(table, output, 1)]
    table.write_bytes(table_of(ROWS, form))
    killed += [is_killed_at(table, output, int(share * len(undisturbed[form])), "--resume") for share in (0.4, 0.7)]
    assert any(killed)
    done = command("predict", "--input", table, "--output", output, "--resume")
    assert done.returncode == 0, done.stderr
    assert output.read_bytes() == undisturbed[form]
    assert {path.name for path in tmp_path.iterdir()} == {table.name, output.name}


@pytest.mark.parametrize("lost", [5000, 10**9])
def test_an_unfinished_file_that_lost_its_tail_makes_no_wrong_file(
    command: Command, tmp_path: Path, undisturbed: dict[str, bytes], lost: int
) -> None:
    table, output, part = tmp_path / "table.csv", tmp_path / "labelled.csv", tmp_path / "labelled.csv.part"
    table.write_bytes(table_of(ROWS, "csv"))
    if is_killed_at(table, output, len(undisturbed["csv"]) // 2):
        part.write_bytes(part.read_bytes()[:-lost])
    done = command("predict", "--input", table, "--output", output, "--resume")
    if done.returncode:
        assert (done.returncode, done.stderr.count(b"\n"), output.exists()) == (1, 1, False), done.stderr
    else:
        assert output.read_bytes() == undisturbed["csv"]
