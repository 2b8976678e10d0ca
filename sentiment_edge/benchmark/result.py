"""The outcome of a benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sentiment_edge.benchmark.cold_start import ColdStart
    from sentiment_edge.benchmark.latency import Latency
    from sentiment_edge.benchmark.subjects import Subject
    from sentiment_edge.benchmark.throughput import Throughput
    from sentiment_edge_runtimes.machine.clock import Clock


class BenchmarkResult(NamedTuple):
    """The measurements of one subject."""

    subject: Subject
    latencies: tuple[Latency, ...]
    throughput: Throughput
    cold_start: ColdStart


class TorchResult(NamedTuple):
    """The measurements of the original model in torch."""

    name: str
    version: str
    latencies: dict[int, tuple[Latency, ...]]
    """By number of threads."""


class BenchmarkReport(NamedTuple):
    """The measurements of everything that was asked for."""

    results: tuple[BenchmarkResult, ...]
    torch: TorchResult | None
    load: float | None
    """The CPUs that were busy in the minute before the measurements; None where the system does not tell."""
    clock: Clock
    """The CPU's, right after the measurements."""

    def speedup(self, subject: Subject, latency: Latency) -> float | None:
        """Return how many times as fast as torch a bundle is; None without torch.

        Torch is taken at its best with at most as many threads: on a busy machine several of them can be slower than one.
        """
        theirs = [
            each.p50
            for threads, latencies in (self.torch.latencies.items() if self.torch else ())
            for each in latencies
            if threads <= subject.threads and each.tokens == latency.tokens
        ]
        return min(theirs) / latency.p50 if theirs else None
