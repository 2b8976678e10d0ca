"""Rate and peak memory of `predict --input TABLE --output FILE`, beside those of plain lines.

python benchmarks/table_rates.py --data ../shared/data/sst2/dev.tsv --against ../another-checkout/.venv/bin/python

The tables have four columns: id, text, date, note. With `--against`, plain lines on stdin are also labelled by the
installation of another Python, in turns with this one's. Parquet needs pyarrow, the peak memory Linux.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import describe_machine, interleaved_medians, print_table, read_sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Row = tuple[int, str, str, str]

COLUMNS = ("id", "text", "date", "note")
NOTES = ("", "checked", 'said "fine", then left', "second visit; paid in cash")
GROUP = 50_000
"""Rows of a row group of Parquet."""

_PEAK = """
import sys
from pathlib import Path
from sentiment_edge.cli import app
try:
    app(["predict", *sys.argv[1:]])
finally:
    print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""
"""Labels, and prints the peak memory of this process alone; that of getrusage would begin with its parent's."""


def main() -> None:
    """Make the tables, label them, print."""
    arguments = _parse()
    texts = [" ".join(sentence.split()) for sentence, _ in read_sentences(arguments.data)]
    bundle = [arguments.bundle] if arguments.bundle else []
    print(describe_machine("onnxruntime", "tokenizers", "pyarrow"))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        if arguments.rounds:
            runs = _rates(folder, texts, arguments.rows, arguments.formats, bundle)
            print_table(f"rate over {arguments.rows:,} rows", [*interleaved_medians(runs, arguments.rounds).items()], "rows/s")
        if arguments.rounds and arguments.against:
            pipes = _piped(arguments.against, folder, texts, arguments.rows, bundle)
            title = f"rate of {arguments.rows:,} plain lines on stdin"
            print_table(title, [*interleaved_medians(pipes, arguments.rounds).items()], "rows/s")
        for form in arguments.formats if arguments.memory else ():
            peaks = [(f"{count:,} rows", _peak_megabytes(folder, texts, count, form, bundle)) for count in arguments.memory]
            print_table(f"peak memory, {form}", peaks, "MB")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="tab-separated file with a column `sentence`")
    parser.add_argument("--bundle", default="", help="folder of a bundle; by default the built-in one")
    parser.add_argument("--formats", nargs="+", choices=[*WRITERS], default=[*WRITERS])
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the rate")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the rate; 0 leaves it out")
    parser.add_argument(
        "--memory", type=int, nargs="*", default=[10_000, 1_000_000], help="rows whose memory is measured; none leaves it out"
    )
    parser.add_argument("--against", type=Path, help="python of another installation, for plain lines on stdin")
    parser.add_argument("--folder", type=Path, help="where the tables are made; by default the folder of temporary files")
    return parser.parse_args()


def _rows(texts: Sequence[str], count: int) -> Iterator[Row]:
    notes = itertools.cycle(NOTES)
    for number, text in enumerate(itertools.islice(itertools.cycle(texts), count)):
        yield number, text, f"2026-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}", next(notes)


def _write_lines(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{text}\n" for _, text, _, _ in rows)


def _write_csv(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(itertools.chain([COLUMNS], rows))


def _write_tsv(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines("\t".join(map(str, row)) + "\n" for row in itertools.chain([COLUMNS], rows))


def _write_jsonl(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


def _write_parquet(path: Path, rows: Iterable[Row]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only for this format
    from pyarrow import parquet  # noqa: PLC0415

    schema = pa.schema(zip(COLUMNS, (pa.int64(), pa.string(), pa.string(), pa.string()), strict=True))
    with parquet.ParquetWriter(path, schema) as writer:
        for group in _batched(rows):
            columns = dict(zip(COLUMNS, map(list, zip(*group, strict=True)), strict=True))
            writer.write_table(pa.table(columns, schema=schema))


def _batched(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while group := [*itertools.islice(remaining, GROUP)]:
        yield group


WRITERS: dict[str, tuple[str, str, Callable[[Path, Iterable[Row]], None]]] = {
    "plain lines": (".txt", ".tsv", _write_lines),
    "csv": (".csv", ".csv", _write_csv),
    "tsv": (".tsv", ".tsv", _write_tsv),
    "jsonl": (".jsonl", ".jsonl", _write_jsonl),
    "parquet": (".parquet", ".parquet", _write_parquet),
}
"""The endings of a format's input and output, and what writes the input."""


def _make(folder: Path, texts: Sequence[str], count: int, form: str) -> tuple[Path, Path]:
    """Write a table; return its path and that of its output."""
    ending, output, write = WRITERS[form]
    path = folder / f"rows{count}{ending}"
    write(path, _rows(texts, count))
    return path, folder / f"labelled{output}"


def _rates(
    folder: Path, texts: Sequence[str], count: int, forms: Sequence[str], bundle: list[str]
) -> Mapping[str, Callable[[], float]]:
    def timed(table: Path, output: Path) -> Callable[[], float]:
        command = [sys.executable, "-m", "sentiment_edge", "predict", *bundle, "--input", str(table), "--output", str(output)]

        def run() -> float:
            start = time.perf_counter()
            subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
            return _rate(output, count, start)

        return run

    return {form: timed(*_make(folder, texts, count, form)) for form in forms}


def _rate(output: Path, count: int, start: float) -> float:
    rate = count / (time.perf_counter() - start)
    output.unlink()
    return rate


def _piped(
    against: Path, folder: Path, texts: Sequence[str], count: int, bundle: list[str]
) -> Mapping[str, Callable[[], float]]:
    table, _ = _make(folder, texts, count, "plain lines")

    def timed(python: str) -> Callable[[], float]:
        def run() -> float:
            command = [python, "-m", "sentiment_edge", "predict", *bundle]
            start = time.perf_counter()
            with table.open("rb") as lines, (folder / "piped").open("wb") as output:
                subprocess.run(command, stdin=lines, stdout=output, stderr=subprocess.DEVNULL, cwd=folder, check=True)
            return _rate(folder / "piped", count, start)

        return run

    return {name: timed(str(python.absolute())) for name, python in (("against", against), ("now", Path(sys.executable)))}


def _peak_megabytes(folder: Path, texts: Sequence[str], count: int, form: str, bundle: list[str]) -> float:
    table, output = _make(folder, texts, count, form)
    command = [sys.executable, "-c", _PEAK, *bundle, "--input", str(table), "--output", str(output)]
    done = subprocess.run(command, stderr=subprocess.PIPE, check=True)
    table.unlink()
    output.unlink()
    return int(done.stderr.split()[-1]) / 1024


if __name__ == "__main__":
    main()
