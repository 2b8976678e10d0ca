"""The CPU time outside labelling with one worker and with several, and what follows from it for large clusters."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge import load
from tools.bulk.forms import label_with
from tools.bulk.rows import TASK_ROWS, write_blank, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tools.bulk.processes import Cost

_WORKERS = (1, 2, 4, 8)
_WARM, _DONE = 0.4, 0.95
"""Between these shares of its labelling a run is looked at: its start is over, and code that is compiled has been."""
_TASKS = (50, 250)
_CORES = (100, 1000)
_MANY = 1e9


class _Steady(NamedTuple):
    """A run in its middle."""

    labelling: float
    """Seconds of CPU time a row."""
    elsewhere: float
    """The share of all CPU time that is spent outside the workers."""


def show_workers(scratch: Path, count: int) -> None:
    """Print how much CPU time labelling by the default model and all else take with more and more workers, and the model.

    Each worker gets so many rows that its start does not weigh: each executor of Spark is a program that compiles itself.
    The model: each core labels, reads and writes on its own, as measured with the most workers here; the driver hands out tasks
    beside them, one after the other, and the slower of both decides. The start, the storage and the network are left out.
    """
    print(f"\nthe default model, {count} rows for each worker, in the middle of the run\n")
    print(f"{'':<8}{'workers':>8}{'labelling µs':>14}{'elsewhere':>11}")
    for cluster in ("spark", "ray"):
        for workers in _WORKERS:
            rows = write_rows(scratch, count * workers)
            steady = _steady(_run(scratch, cluster, workers, rows), count * workers)
            print(f"{cluster:<8}{workers:>8}{steady.labelling * 1e6:>14.0f}{steady.elsewhere:>11.1%}", flush=True)
        task = _per_task(scratch, cluster)
        print(f"{cluster}: the driver takes {1000 * task:.1f} ms of CPU time for a task of {TASK_ROWS} rows")
        for cores in _CORES:
            spread = _MANY * steady.labelling / (1 - steady.elsewhere) / cores
            handing = _MANY / TASK_ROWS * task
            slower = max(spread, handing) / 60
            took = f"{slower:.0f} minutes; the driver's part: {handing / 60:.0f}"
            print(f"{cluster}: a billion such rows on {cores} cores: {took}", flush=True)


def _run(scratch: Path, cluster: str, workers: int, rows: Path, partitions: int = 8) -> Cost:
    output = scratch / "output"
    shutil.rmtree(output, ignore_errors=True)
    return label_with(cluster, workers, rows, output, load().engine, partitions)


def _steady(cost: Cost, count: int) -> _Steady:
    total = cost.seconds("worker")
    middle = [point for point in cost.history if _WARM * total <= point[0] <= _DONE * total]
    labelling, elsewhere = (last - first for first, last in zip(middle[0], middle[-1], strict=True))
    return _Steady(total / count, elsewhere / (labelling + elsewhere))


def _per_task(scratch: Path, cluster: str) -> float:
    """Return the driver's CPU time for a task, from runs of few tasks and of many whose rows have no text."""
    few, many = (_run(scratch, cluster, 2, write_blank(scratch, tasks), tasks).seconds("driver") for tasks in _TASKS)
    return (many - few) / (_TASKS[1] - _TASKS[0])
