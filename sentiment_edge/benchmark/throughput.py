"""Throughput: the lines per second that `Classifier.stream` labels, from text to prediction."""

from __future__ import annotations

import statistics
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge.benchmark.texts import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.classifier import Classifier

_TRIAL = 16
"""Lines that are timed first, to find how many fit into the time."""
_USUAL = 1024
"""Lines of a pass if fewer are given: as many as a stream reads ahead."""
_MOST_PASSES, _LEAST_PASSES = 5, 2


class Throughput(NamedTuple):
    """The median of several passes over the same lines."""

    lines: int
    passes: int
    lines_per_second: float


def measure_throughput(classifiers: Sequence[Classifier], texts: Sequence[str], deadline: float) -> list[Throughput]:
    """Let all label the same lines in turns, until the deadline (of `time.monotonic`) or until there are enough passes."""
    trial = spread(texts, _TRIAL)
    for classifier in classifiers:
        _seconds(classifier, trial)  # starts the engine
    slowest = max(_seconds(classifier, trial) for classifier in classifiers) / _TRIAL
    share = (deadline - time.monotonic()) / (_MOST_PASSES * len(classifiers))
    lines = spread(texts, min(max(_TRIAL, int(share / slowest)), max(_USUAL, len(texts))))
    seconds: list[list[float]] = [[] for _ in classifiers]
    while (passes := len(seconds[-1])) < _LEAST_PASSES or (passes < _MOST_PASSES and time.monotonic() < deadline):
        for classifier, taken in zip(classifiers, seconds, strict=True):
            taken.append(_seconds(classifier, lines))
    return [Throughput(len(lines), len(taken), len(lines) / statistics.median(taken)) for taken in seconds]


def _seconds(classifier: Classifier, lines: Sequence[str]) -> float:
    start = time.perf_counter()
    deque(classifier.stream(lines), maxlen=0)
    return time.perf_counter() - start
