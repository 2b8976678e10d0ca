"""What a bundle costs beside another: lines per second, first answer, memory; whole commands in turns.

    python benchmarks/default_cost.py --data FOLDER --against BUNDLE

Each figure is the median of its rounds and, in brackets, the least and the greatest. FOLDER holds `sst2` and `tweet-sentiment`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measuring import describe_machine, in_turns

from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge.data.labelled import Selection, read_labelled
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILES = ("sst2/dev.tsv", "tweet-sentiment/test.csv")
_REPEATED = 2


class _Cost(NamedTuple):
    seconds: float
    megabytes: float
    """Of memory at the peak."""


def main() -> None:
    """Run both bundles round after round, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", default=str(DEFAULT_BUNDLE), help="the default is the one that ships in the package")
    parser.add_argument("--against", required=True)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    rows = [row for file in _FILES for row in read_labelled(given.data / file, Selection(skip_bad=True), TerminalProgress())]
    lines = [" ".join(row.text.split()) for row in rows] * _REPEATED
    print(describe_machine("onnxruntime", "numpy"))
    print(f"{len(lines):,} lines; onnxruntime\n\n| | this | the other | this by the other |\n|---|---|---|---|")
    bundles = {"this": given.bundle, "other": given.against}
    with tempfile.TemporaryDirectory() as folder:
        one, many = _written(Path(folder) / "one.txt", lines[:1]), _written(Path(folder) / "many.txt", lines)
        runs = {(name, file): partial(_cost, bundle, file) for name, bundle in bundles.items() for file in (one, many)}
        costs = in_turns(runs, given.rounds)
    first, whole = ({name: costs[name, file] for name in bundles} for file in (one, many))
    speed = {
        name: [len(lines) / (w.seconds - f.seconds) for w, f in zip(whole[name], first[name], strict=True)] for name in bundles
    }
    _print("lines per second", speed)
    _print("seconds of a command of one line", {name: [each.seconds for each in found] for name, found in first.items()})
    _print("MB at the peak, one line", {name: [each.megabytes for each in found] for name, found in first.items()})
    _print("MB at the peak, all lines", {name: [each.megabytes for each in found] for name, found in whole.items()})


def _written(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _cost(bundle: str, lines: Path) -> _Cost:
    command = [sys.executable, "-m", "sentiment_edge", "predict", bundle, "--engine", "onnxruntime"]
    with lines.open("rb") as texts:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=texts, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: status {process.returncode}")
    return _Cost(taken, usage.ru_maxrss / 1024)


def _print(name: str, values: dict[str, list[float]]) -> None:
    this, other = (values["this"], values["other"])
    ratios = [a / b for a, b in zip(this, other, strict=True)]
    print(f"| {name} | {' | '.join(map(_spread, (this, other, ratios)))} |", flush=True)


def _spread(values: Sequence[float]) -> str:
    digits = 3 if max(values) < 10 else 0  # noqa: PLR2004
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    main()
