"""Cold start: the time and the memory of a fresh process, from its start to its end with one prediction."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge.benchmark.subjects import Subject

_PROGRAM = (sys.executable, "-P", "-m", "sentiment_edge.benchmark.cold_start_process")
"""-P: modules are not looked for in the working directory."""
_MOST_PROCESSES = 5


class ColdStart(NamedTuple):
    """The median of several processes, which found the files and what engines remember in caches."""

    processes: int
    seconds: float
    peak_memory: int | None
    """Bytes, the largest of all; None if the system does not tell."""


def measure_cold_start(subjects: Sequence[Subject], text: str, deadline: float) -> list[ColdStart]:
    """Start processes of all subjects in turns, until the deadline (of `time.monotonic`) or until there are enough.

    Raises:
        EngineError: a process failed.
    """
    for subject in subjects:
        _run(subject, text)  # fills the caches
    seen: list[list[tuple[float, int | None]]] = [[] for _ in subjects]
    while not (rounds := len(seen[-1])) or (rounds < _MOST_PROCESSES and time.monotonic() < deadline):
        for subject, outcomes in zip(subjects, seen, strict=True):
            outcomes.append(_run(subject, text))
    return [_summary(outcomes) for outcomes in seen]


def _run(subject: Subject, text: str) -> tuple[float, int | None]:
    """Return the seconds and the peak memory of one process, which an interrupt ends too."""
    task = json.dumps([str(subject.bundle.root), subject.engine, subject.threads, text])
    start = time.perf_counter()
    done = subprocess.run(_PROGRAM, input=task.encode(), capture_output=True, check=False)  # noqa: S603 - our own program
    seconds = time.perf_counter() - start
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").split("\n")
        reason = next((line for line in reversed(lines) if line.strip()), f"status {done.returncode}")
        raise EngineError(f"{subject.bundle.root}: a fresh process that runs it failed: {reason}")
    return seconds, json.loads(done.stdout)


def _summary(outcomes: Sequence[tuple[float, int | None]]) -> ColdStart:
    peaks = [peak for _, peak in outcomes if peak is not None]
    return ColdStart(len(outcomes), statistics.median(seconds for seconds, _ in outcomes), max(peaks, default=None))
