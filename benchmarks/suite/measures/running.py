"""Measures of models that run in turns: latency, and lines in bulk."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from suite.measures.rounds import take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suite.measures.processes import ModelProcess
    from suite.measures.rounds import Costs
    from suite.texts import Texts


class BulkRun(NamedTuple):
    """Texts labelled in all ways."""

    costs: Costs
    """Seconds per text."""
    accuracies: dict[str, float]


def measure_latency(models: Mapping[str, ModelProcess], rows: int, length: int, rounds: int) -> Costs:
    """Run all on the same ids; return seconds per batch."""
    return take_turns({name: partial(model.burst, rows, length) for name, model in models.items()}, rounds)


def measure_bulk(models: Mapping[str, ModelProcess], texts: Texts, rounds: int) -> BulkRun:
    """Label the same texts in every way, first once untimed."""
    runs = {
        f"{name}, {way}" if way else name: partial(model.label, way, texts.texts)
        for name, model in models.items()
        for way in model.ways
    }
    accuracies = {name: texts.accuracy(run().classes) for name, run in runs.items()}
    labelled = take_turns(runs, rounds)
    count = len(texts.texts)
    return BulkRun({name: [each.seconds / count for each in runs] for name, runs in labelled.items()}, accuracies)
