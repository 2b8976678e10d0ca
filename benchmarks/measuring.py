"""Shared by the benchmarks: interleaved timing on a noisy machine, and a line that describes the machine."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar

from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge.data.labelled import Selection, read_labelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

K = TypeVar("K")
T = TypeVar("T")


def describe_machine(*libraries: str) -> str:
    """Name the machine and the versions that a figure depends on."""
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    return f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {versions}"


def interleaved_medians(runs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the median of what each returned, run in turns."""
    return {name: statistics.median(values) for name, values in in_turns(runs, rounds).items()}


def in_turns(runs: Mapping[K, Callable[[], T]], rounds: int) -> dict[K, list[T]]:
    """Run each in turn, round after round, so that all see the same noise; return what each returned in each round."""
    results: dict[K, list[T]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
    return results


def seconds(run: Callable[[], object], times: int = 1) -> Callable[[], float]:
    """Return a function that runs `run` that many times and returns the seconds per time."""

    def timed() -> float:
        start = time.perf_counter()
        for _ in range(times):
            run()
        return (time.perf_counter() - start) / times

    return timed


def process_seconds(command: Sequence[str], stdin: bytes = b"") -> Callable[[], float]:
    """Return a function that runs a command from start to end and returns the seconds."""
    return seconds(lambda: subprocess.run(command, input=stdin, stdout=subprocess.DEVNULL, check=True))


def print_table(title: str, rows: Sequence[tuple[str, float]], unit: str) -> None:
    """Print each figure and its ratio to the first."""
    print(f"\n{title}")
    for name, figure in rows:
        print(f"  {name:<58} {figure:>10.3f} {unit:<8} x{figure / rows[0][1]:.2f}")


def read_sentences(path: Path) -> list[tuple[str, str]]:
    """Return texts and labels of a file that `sentiment-edge evaluate` reads."""
    rows = read_labelled(path, Selection(skip_bad=True), TerminalProgress())
    return [(row.text.strip(), row.label) for row in rows]
