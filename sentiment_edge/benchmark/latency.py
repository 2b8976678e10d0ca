"""Latency of one text in the model alone, at several lengths, measured in turns so that all see the same noise."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_runtimes.batching import pad, padded_length

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Engine

_TOKENS = (16, 32, 64, 128)
_LEAST_ROUNDS, _ENOUGH_RUNS = 3, 2000
_BURST_RUNS, _BURST_SECONDS = 10, 0.02
_SLOW_SECONDS = 0.05
"""Seconds of a run that is too long for the contents of the CPU's caches to matter."""


class Latency(NamedTuple):
    """The latency of one text with this many tokens, in seconds."""

    tokens: int
    runs: int
    p50: float
    p90: float
    p99: float


def token_counts(bundle: Bundle) -> tuple[int, ...]:
    """Return the lengths to measure, up to the most that the model reads."""
    return tuple(count for count in _TOKENS if count <= bundle.manifest.max_length) or (bundle.manifest.max_length,)


def prepare(engine: Engine, bundle: Bundle, ids: Sequence[int]) -> Callable[[], object]:
    """Return a function that runs one text, padded as the classifier would."""
    manifest = bundle.manifest
    return partial(engine, *pad([ids], padded_length(len(ids), engine.lengths), manifest.pad_id, manifest.batch))


def measure_latency(runs: Sequence[tuple[int, Callable[[], object]]], deadline: float) -> list[Latency]:
    """Measure runs, each given with its tokens, in turns until the deadline (of `time.monotonic`) or until there are enough."""
    seconds: list[list[float]] = [[] for _ in runs]
    in_turn = sorted(range(len(runs)), key=lambda index: runs[index][0])  # engines side by side at each length
    for _, run in runs:
        run()  # the first run of a shape prepares it
    rounds = 0
    while rounds < _LEAST_ROUNDS or (time.monotonic() < deadline and min(map(len, seconds)) < _ENOUGH_RUNS):
        for index in in_turn:
            seconds[index] += _burst(runs[index][1])
        rounds += 1
    return [_summary(tokens, taken) for (tokens, _), taken in zip(runs, seconds, strict=True)]


def _burst(run: Callable[[], object]) -> list[float]:
    """Run a few times; the first run, which finds the caches as others left them, counts only if it is long."""
    first = _timed(run)
    if first > _SLOW_SECONDS:
        return [first]
    taken: list[float] = []
    while len(taken) < _BURST_RUNS and sum(taken) < _BURST_SECONDS:
        taken.append(_timed(run))
    return taken


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _summary(tokens: int, seconds: Sequence[float]) -> Latency:
    p50, p90, p99 = np.percentile(seconds, (50, 90, 99)).tolist()
    return Latency(tokens, len(seconds), p50, p90, p99)
