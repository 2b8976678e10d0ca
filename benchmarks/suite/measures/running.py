"""Measures of models that are loaded side by side in one process: latency, and lines in bulk."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from suite.measures.rounds import PAUSE, burst, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from suite.contestants.contestant import Bulk, Model
    from suite.measures.rounds import Costs
    from suite.texts import Texts

_IDS = (1_000, 9_000)
"""Token ids to draw from: none of them special, all of them in every vocabulary."""


class BulkRun(NamedTuple):
    """Texts labelled in all ways."""

    costs: Costs
    """Seconds per text."""
    accuracies: dict[str, float]


def measure_latency(models: Mapping[str, Model], rows: int, length: int, rounds: int) -> Costs:
    """Run all on the same ids; return seconds per batch."""
    ids = np.random.default_rng((rows, length)).integers(*_IDS, (rows, length))
    mask = np.ones_like(ids)
    return take_turns({name: burst(partial(model.logits, ids, mask)) for name, model in models.items()}, rounds)


def measure_bulk(models: Mapping[str, Model], texts: Texts, rounds: int) -> BulkRun:
    """Label the same texts in every way, first once untimed."""
    ways = {f"{name}, {way}" if way else name: label for name, model in models.items() for way, label in model.ways().items()}
    accuracies = {name: texts.accuracy(label(texts.texts)) for name, label in ways.items()}
    costs = take_turns({name: _timed(label, texts.texts) for name, label in ways.items()}, rounds)
    return BulkRun(costs, accuracies)


def _timed(label: Bulk, texts: Sequence[str]) -> Callable[[], float]:
    def timed() -> float:
        time.sleep(PAUSE)
        start = time.perf_counter()
        label(texts)
        return (time.perf_counter() - start) / len(texts)

    return timed
