"""Kill `predict --output` at random moments and go on with `--resume`: the file must be that of an undisturbed run.

    python -m tools.kill_predictions [--rows 100000] [--kills 50] [--seed 0]

A table with quotes and line ends in its cells, csv and then jsonl, is labelled again and again. Each labelling is killed a
few times, at its start, in its midst or close to its end, and then left alone until the file is there. In between the table
may grow, and the unfinished file may lose its tail; then a refusal in one line is as good as the right file. It takes half
an hour on two cores.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("csv", "jsonl")
COLUMNS = ("id", "text", "date", "note")
WORDS = (
    "the film",
    "plot",
    "was",
    "is",
    "and",
    "but",
    "so",
    "good",
    "bad",
    "dull",
    "great",
    "naïve",
    "好",
    "never",
    "'quite'",
    "it",
)
FRAMES = (*["{}"] * 6, '"{}", she said', 'both "{}"\nand this', "two\r\n\r\nlines, {}", "{};\t|", "")
MOMENTS = {"at the start": 3, "in the midst": 4, "close to the end": 2}
"""Moments to kill a run at, and how often beside each other."""
MOST = 8
"""Kills of one labelling."""
GROWTH, CUT = 0.15, 0.1
"""Chances, after each kill, that the table grows and that the unfinished file is cut."""


def main() -> int:
    """Run the kills, print how they ended; return 1 if a file was wrong, a run was refused, or anything was left over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the table (default: 100000)")
    parser.add_argument("--kills", type=int, default=50, help="runs to kill, of each format (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the table and the random moments (default: 0)")
    arguments = parser.parse_args()
    print(f"{arguments.rows} rows, {arguments.kills} kills of each format, seed {arguments.seed}", flush=True)
    broken = 0
    for form in FORMATS:
        ends = _kill(form, arguments.rows, arguments.kills, random.Random(arguments.seed))
        print(form)
        for end, count in sorted(ends.items()):
            print(f"{count:>4}  {end}", flush=True)
        broken += sum(count for end, count in ends.items() if end.startswith("broken"))
    return 1 if broken else 0


def _kill(form: str, rows: int, kills: int, chance: random.Random) -> Counter[str]:
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        case = _case(Path(folder), form, rows, chance)
        while (killed := sum(count for end, count in ends.items() if end.startswith("killed"))) < kills:
            with tempfile.TemporaryDirectory(dir=folder) as room:
                labelling = Labelling(case, Path(room), chance)
                ends.update(labelling.ends(min(chance.randint(1, MOST), kills - killed)))
    return ends


@dataclass(frozen=True)
class Case:
    """A table, at first and grown, with the files of undisturbed runs and their seconds."""

    form: str
    tables: tuple[bytes, bytes]
    expected: tuple[bytes, bytes]
    starting: float
    working: float


def _case(folder: Path, form: str, rows: int, chance: random.Random) -> Case:
    written = [_written(form, _row(number, chance)) for number in range(rows + rows // 50 + 1)]
    head = _written(form, COLUMNS) if form == "csv" else b""
    tables = (head + b"".join(written[:rows]), head + b"".join(written))
    starting, _ = _undisturbed(folder, form, head + b"".join(written[:5]))
    whole, expected = _undisturbed(folder, form, tables[0])
    _, expected_of_grown = _undisturbed(folder, form, tables[1])
    return Case(form, tables, (expected, expected_of_grown), starting, whole - starting)


def _row(number: int, chance: random.Random) -> tuple[str, ...]:
    texts = (" ".join(chance.choices(WORDS, k=length)) for length in (chance.randint(1, 25), 2))
    text, note = (chance.choice(FRAMES).format(text) for text in texts)
    return str(number), text, f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}", note


def _written(form: str, row: tuple[str, ...]) -> bytes:
    if form == "jsonl":
        return json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False).encode() + b"\n"
    line = io.StringIO()
    csv.writer(line).writerow(row)
    return line.getvalue().encode()


def _undisturbed(folder: Path, form: str, table: bytes) -> tuple[float, bytes]:
    """Return the seconds of a run that nobody disturbs, and its file."""
    path, output = folder / f"undisturbed.{form}", folder / f"expected.{form}"
    path.write_bytes(table)
    started = time.monotonic()
    status = _predict(path, output, resume=False).wait()
    if status:
        raise SystemExit(f"an undisturbed run ended with status {status}; `predict --input` over such a table tells why")
    return time.monotonic() - started, output.read_bytes()


def _predict(table: Path, output: Path, *, resume: bool) -> subprocess.Popen[bytes]:
    options = ["--input", str(table), "--output", str(output), *(["--resume"] if resume else [])]
    command = [sys.executable, "-m", "sentiment_edge", "predict", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Labelling:
    """One file on its way: runs, kills, and what befalls its table and itself in between."""

    def __init__(self, case: Case, folder: Path, chance: random.Random) -> None:
        self._case, self._folder, self._chance = case, folder, chance
        self._table, self._output = folder / f"table.{case.form}", folder / f"labelled.{case.form}"
        self._part = folder / f"labelled.{case.form}.part"
        self._table.write_bytes(case.tables[0])
        self._grown = self._cut = self._resume = self._ended = False

    def ends(self, kills: int) -> Iterator[str]:
        """Run until the file is there, the first runs to be killed; yield in words how each ended."""
        while not self._ended:
            (moment,) = self._chance.choices([*MOMENTS], [*MOMENTS.values()]) if kills > 0 else (None,)
            kills -= 1
            process = _predict(self._table, self._output, resume=self._resume)
            if moment:
                self._wait(moment, process)
                process.kill()
            _, errors = process.communicate()
            if process.returncode == -signal.SIGKILL:
                yield f"killed {moment}"
                yield from self._befall()
            else:
                yield self._end(process.returncode, errors.decode())

    def _wait(self, moment: str, process: subprocess.Popen[bytes]) -> None:
        case, chance = self._case, self._chance.random()
        size = len(case.expected[self._grown])
        if moment == "at the start":
            _sleep(process, 1.2 * chance * case.starting)
        elif moment == "in the midst":
            left = 1 - min(1, self._written() / size)
            _sleep(process, case.starting + chance**2 * left * case.working)
        else:
            near = size - chance**2 * size / 20
            while process.poll() is None and self._written() < near:
                time.sleep(0.002)
            _sleep(process, self._chance.random() * 0.1)

    def _written(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def _befall(self) -> Iterator[str]:
        """Yield in words what befalls the table and the unfinished file after a kill."""
        self._resume = True
        if not self._grown and self._chance.random() < GROWTH:
            before, after = self._case.tables
            with self._table.open("ab") as table:
                table.write(after[len(before) :])
            self._grown = True
            yield "(the table grew)"
        if self._chance.random() < CUT and (size := self._written()):
            lost = self._chance.randint(1, self._chance.choice((min(size, 2**16), size)))
            os.truncate(self._part, size - lost)
            self._cut = True
            yield "(the unfinished file was cut)"

    def _end(self, status: int, errors: str) -> str:
        """Return in words what a run that was not killed left."""
        if status:
            if self._cut and errors.count("\n") == 1 and "Traceback" not in errors:
                return self._begin_again()
            self._ended = True
            return f"broken: status {status}, {errors.strip().rpartition(chr(10))[2]}"
        self._ended = True
        if self._output.read_bytes() != self._case.expected[self._grown]:
            return "broken: another file than an undisturbed run's"
        if left := sorted({path.name for path in self._folder.iterdir()} - {self._table.name, self._output.name}):
            return f"broken: left beside the file: {', '.join(left)}"
        return "the file is there, byte by byte an undisturbed run's"

    def _begin_again(self) -> str:
        for path in self._folder.glob(f"{self._part.name}*"):
            path.unlink()
        self._cut = self._resume = False
        return "refused because the unfinished file was cut; begun again"


def _sleep(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


if __name__ == "__main__":
    sys.exit(main())
