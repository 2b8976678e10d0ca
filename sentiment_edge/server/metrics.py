"""Counts of the server's work, in memory that its processes share, and their text for Prometheus."""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left
from http import HTTPStatus
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from prometheus_client.metrics_core import Metric

ROUTES = ("/predict", "/explain", "/healthz", "/readyz", "/metrics", "/openapi.json", "/", "other", "none")
"""The routes that requests are counted by: `other` is any other path, `none` what was refused before its path was known."""
_METHODS = ("GET", "HEAD", "POST", "OPTIONS", "other", "none")
_STATUSES = tuple(int(status) for status in HTTPStatus)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024)

_PROCESS, _WAITING, _CONNECTIONS, _TEXTS, _DROPPED = range(5)
_REQUESTS = 5
_LATENCY = _REQUESTS + len(ROUTES) * len(_METHODS) * len(_STATUSES)
_LATENCY_CELLS = len(_SECONDS) + 2  # one for what is slower, one for the sum
_TOGETHER = _LATENCY + len(ROUTES) * _LATENCY_CELLS
_ROW = _TOGETHER + len(_BATCHES) + 2
_ROUTE_PLACES = {route: place for place, route in enumerate(ROUTES)}
_METHOD_PLACES = {method: place for place, method in enumerate(_METHODS)}
_STATUS_PLACES = {status: place for place, status in enumerate(_STATUSES)}


class Metrics:
    """Counters of all processes of a server: each writes a row of its own, and any of them tells the sum.

    Made before the processes fork; each then says which `worker` it is.
    """

    def __init__(self, workers: int = 1) -> None:
        self._memory = mmap.mmap(-1, workers * _ROW * 8)
        self._cells = memoryview(self._memory).cast("d")
        self._rows = np.frombuffer(self._memory, np.float64).reshape(workers, _ROW)
        self._parent = os.getpid()
        self.about: dict[str, str] = {}
        """Labels of the bundle that is served."""
        self.worker = 0

    @property
    def worker(self) -> int:
        """The row that this process writes; once set, it has no texts waiting and no connections yet."""
        return self._worker

    @worker.setter
    def worker(self, worker: int) -> None:
        self._worker = worker
        self._row = self._cells[worker * _ROW : (worker + 1) * _ROW]
        self._row[_PROCESS] = os.getpid()
        self._row[_WAITING] = self._row[_CONNECTIONS] = 0

    def count_request(self, route: str, method: str, status: int, seconds: float | None, texts: int) -> None:
        """Count an answer.

        Args:
            route: one of `ROUTES`.
            method: the request's method, or `none`.
            status: the answer's status.
            seconds: how long the answer took; None where that is not known.
            texts: the texts that were answered.
        """
        at = _ROUTE_PLACES[route]
        method_at = _METHOD_PLACES.get(method, _METHOD_PLACES["other"])
        status_at = _STATUS_PLACES.get(status, _STATUS_PLACES[500])
        self._row[_REQUESTS + (at * len(_METHODS) + method_at) * len(_STATUSES) + status_at] += 1
        self._row[_TEXTS] += texts
        if seconds is not None:
            self._observe(_LATENCY + at * _LATENCY_CELLS, _SECONDS, seconds)

    def count_batch(self, texts: int) -> None:
        """Count a batch of so many texts, which the model ran together."""
        self._observe(_TOGETHER, _BATCHES, texts)

    def count_dropped(self) -> None:
        """Count a line of the access log that could not be written."""
        self._row[_DROPPED] += 1

    def set_waiting(self, texts: int) -> None:
        """Note how many texts wait in this process."""
        self._row[_WAITING] = texts

    def set_connections(self, connections: int) -> None:
        """Note how many connections this process has open."""
        self._row[_CONNECTIONS] = connections

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the text and its type: Prometheus' own format, or OpenMetrics where the `Accept` header wants it."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        encode, kind = choose_encoder(accept)
        return encode(registry), kind

    def collect(self) -> Iterator[Metric]:
        """Yield everything, summed over the processes; the registry of `prometheus_client` asks for it."""
        total = self._rows.sum(axis=0)
        yield _requests(total)
        yield _histogram("request_seconds", "Seconds from a request's head to its answer", total, _latencies(total))
        for name, about, place in (
            ("texts", "Texts that were answered", _TEXTS),
            ("log_lines_dropped", "Lines of the access log that could not be written", _DROPPED),
        ):
            yield CounterMetricFamily(_named(name), about, value=total[place])
        yield _histogram("batch_texts", "Texts that the model ran together", total, [((), _TOGETHER, _BATCHES)])
        yield GaugeMetricFamily(_named("texts_waiting"), "Texts that wait for the model", value=total[_WAITING])
        yield GaugeMetricFamily(_named("connections"), "Open connections", value=total[_CONNECTIONS])
        yield self._resident()
        yield InfoMetricFamily(_named("bundle"), "The bundle that is served", value=self.about)

    def _observe(self, start: int, bounds: Sequence[float], value: float) -> None:
        self._row[start + bisect_left(bounds, value)] += 1
        self._row[start + len(bounds) + 1] += value

    def _resident(self) -> Metric:
        """Return the memory of each process, where the system tells it as Linux does."""
        about = "Resident memory of each process; those of workers share the weights"
        family = GaugeMetricFamily(_named("process_resident_memory_bytes"), about, labels=["process"])
        processes = {int(number): str(worker) for worker, number in enumerate(self._rows[:, _PROCESS])}
        for number, name in ({self._parent: "parent"} | processes).items():
            resident = _resident_bytes(number)
            if resident is not None:
                family.add_metric([name], resident)
        return family


def _named(name: str) -> str:
    return f"sentiment_edge_{name}"


def _requests(total: NDArray[np.float64]) -> Metric:
    labels = ["route", "method", "status"]
    family = CounterMetricFamily(_named("requests"), "Requests that were answered or refused", labels=labels)
    counts = total[_REQUESTS:_LATENCY].reshape(len(ROUTES), len(_METHODS), len(_STATUSES))
    for route, method, status in np.argwhere(counts).tolist():
        family.add_metric([ROUTES[route], _METHODS[method], str(_STATUSES[status])], counts[route, method, status])
    return family


def _latencies(total: NDArray[np.float64]) -> list[tuple[tuple[str, ...], int, Sequence[float]]]:
    """Return the parts of the latencies: of the first two routes always, of others once they are asked for."""
    starts = [(route, _LATENCY + place * _LATENCY_CELLS) for place, route in enumerate(ROUTES)]
    counted = [(route, start) for route, start in starts if total[start : start + _LATENCY_CELLS - 1].any()]
    return [((route,), start, _SECONDS) for route, start in dict.fromkeys(starts[:2] + counted)]


def _histogram(
    name: str, about: str, total: NDArray[np.float64], parts: list[tuple[tuple[str, ...], int, Sequence[float]]]
) -> Metric:
    """Return a histogram; each part has the values of its labels, its first cell and the bounds of its cells."""
    family = HistogramMetricFamily(_named(name), about, labels=["route"][: len(parts[0][0])])
    for labels, start, bounds in parts:
        counts = accumulate(total[start : start + len(bounds) + 1].tolist())
        ends = [*(str(float(bound)) for bound in bounds), "+Inf"]
        family.add_metric(labels, list(zip(ends, counts, strict=True)), total[start + len(bounds) + 1])
    return family


def _resident_bytes(process: int) -> int | None:
    try:
        pages = Path(f"/proc/{process}/statm").read_text("ascii").split()[1]
    except (OSError, IndexError):  # another system, or a process that has ended
        return None
    return int(pages) * mmap.PAGESIZE
