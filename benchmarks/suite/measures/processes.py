"""Models in processes of their own: each has its memory and its threads to itself, as in a program that uses it."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

import numpy as np

from suite.measures.rounds import PAUSE, burst

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from suite.contestants.contestant import Contestant, Model

_IDS = (1_000, 9_000)
"""Token ids to draw from: none of them special, all of them in every vocabulary."""
_SETTLING = 1.5
"""Seconds."""

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class Labelled(NamedTuple):
    """Texts labelled once."""

    seconds: float
    classes: list[int]
    """Of each text, the index of its class."""


class ModelProcess:
    """A contestant's model, opened in a process that ends with `close`."""

    def __init__(self, contestant: Contestant, folder: Path, threads: int) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        try:
            self.ways = self._ask(_open, contestant, folder, threads)
        except BaseException:
            self.close()
            raise

    def settle(self, rows: int, length: int) -> None:
        """Run for a while, as a program that goes on does: some get faster in the first second, by code or by memory."""
        self._ask(_settle, rows, length)

    def burst(self, rows: int, length: int) -> float:
        """Return the seconds of one batch, of several run one after the other."""
        return self._ask(_burst, rows, length)

    def label(self, way: str, texts: Sequence[str]) -> Labelled:
        """Label texts in one of the model's ways."""
        return self._ask(_label, way, texts)

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()

    def _ask(
        self, function: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs
    ) -> _Result:
        return self._pool.submit(function, *arguments, **named).result()


_models: list[Model] = []
"""In the process of a model, the model."""
_bursts: dict[tuple[int, int], Callable[[], float]] = {}
"""There too, by rows and length."""


def _open(contestant: Contestant, folder: Path, threads: int) -> list[str]:
    _models.append(contestant.open(folder, threads))
    return [*_models[0].ways()]


def _settle(rows: int, length: int) -> None:
    run = _batch(rows, length)
    end = time.perf_counter() + _SETTLING
    while time.perf_counter() < end:
        run()


def _burst(rows: int, length: int) -> float:
    if (rows, length) not in _bursts:
        _bursts[rows, length] = burst(_batch(rows, length))
    return _bursts[rows, length]()


def _batch(rows: int, length: int) -> Callable[[], object]:
    ids = np.random.default_rng((rows, length)).integers(*_IDS, (rows, length))
    return partial(_models[0].logits, ids, np.ones_like(ids))


def _label(way: str, texts: Sequence[str]) -> Labelled:
    time.sleep(PAUSE)
    label = _models[0].ways()[way]
    start = time.perf_counter()
    classes = label(texts)
    return Labelled(time.perf_counter() - start, classes)
