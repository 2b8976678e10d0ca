"""Measuring in turns, and the ratios of what was measured in the same round."""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    Costs = Mapping[str, Sequence[float]]
    """Of each row of a table, what it cost in each round: seconds, bytes."""
    Ratios = dict[str, dict[str, tuple[float, float, float]]]
    """For each row of ours and each other row: how many times the other costs, as first quartile, median, third quartile."""

PAUSE = 0.1
"""Seconds before each burst: the threads of whoever ran before keep spinning for a while."""
ENOUGH = 0.2
"""Seconds of a burst, at least."""

_Result = TypeVar("_Result")


def take_turns(runs: Mapping[str, Callable[[], _Result]], rounds: int) -> dict[str, list[_Result]]:
    """Run each once in every round, in an order that changes, so that all see the same noise."""
    results: dict[str, list[_Result]] = {name: [] for name in runs}
    shuffled = random.Random(0)
    for _ in range(rounds):
        for name in shuffled.sample([*runs], len(runs)):
            results[name].append(runs[name]())
    return results


def burst(run: Callable[[], object]) -> Callable[[], float]:
    """Return what waits, runs once to fill the caches, then runs as often as makes a figure worth having: seconds per run."""
    run()  # prepares the shape, which may take long
    start = time.perf_counter()
    run()
    times = max(1, round(ENOUGH / (time.perf_counter() - start)))

    def timed() -> float:
        time.sleep(PAUSE)
        run()
        start = time.perf_counter()
        for _ in range(times):
            run()
        return (time.perf_counter() - start) / times

    return timed


def medians(costs: Costs) -> dict[str, float]:
    """Return the median of each row."""
    return {name: statistics.median(values) for name, values in costs.items()}


def ratios(costs: Costs, ours: Collection[str]) -> Ratios:
    """Return what others cost in proportion to ours, round by round."""
    return {
        mine: {
            name: _quartiles([other / own for other, own in zip(values, costs[mine], strict=True)])
            for name, values in costs.items()
            if name != mine
        }
        for mine in costs
        if mine in ours
    }


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high
