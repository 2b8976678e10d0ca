"""One run of the benchmark: everything that was asked for, in the time that there is."""

from __future__ import annotations

import os
import time
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge.benchmark.cold_start import Start, measure_start
from sentiment_edge.benchmark.latency import Latency, measure_latency, prepare, token_counts
from sentiment_edge.benchmark.subjects import Subject, find_subjects, open_subjects
from sentiment_edge.benchmark.texts import golden_texts, sample_ids
from sentiment_edge.benchmark.throughput import Throughput, measure_throughput
from sentiment_edge_runtimes.classifier import Classifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentiment_edge.benchmark.torch_baseline import TorchModel
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import EngineChoice

_LATENCY, _THROUGHPUT, _START = 0.5, 0.3, 0.2
"""Shares of the time."""
_BUSY = 0.5
"""Of the machine's CPUs: where so many are at work already, figures are of that too."""


class Wishes(NamedTuple):
    """What to measure, and how long."""

    engines: tuple[EngineChoice, ...]
    """Empty: every one that is installed and in the bundle."""
    threads: tuple[int, ...]
    lines: tuple[str, ...] | None
    """Real lines; None for the texts that the first bundle brings."""
    seconds: float
    """For all together, about; the least that makes sense is measured even so."""
    torch: TorchModel | None = None


class Listener(NamedTuple):
    """Who is told how it goes."""

    say: Callable[[str], None]
    """Remarks."""
    stage: Callable[[str], None]


class Result(NamedTuple):
    """What was measured of one subject."""

    subject: Subject
    latencies: tuple[Latency, ...]
    throughput: Throughput
    start: Start


class TorchResult(NamedTuple):
    """What was measured of the original model."""

    name: str
    version: str
    latencies: dict[int, tuple[Latency, ...]]
    """By threads."""


class Report(NamedTuple):
    """The outcome."""

    results: tuple[Result, ...]
    torch: TorchResult | None

    def times_torch(self, subject: Subject, latency: Latency) -> float | None:
        """Return how many times as fast as torch a bundle is; None without torch.

        Torch is at its best with so many threads or fewer: on a busy machine several of its threads take longer than one.
        """
        theirs = [
            each.p50
            for threads, latencies in (self.torch.latencies.items() if self.torch else ())
            for each in latencies
            if threads <= subject.threads and each.tokens == latency.tokens
        ]
        return min(theirs) / latency.p50 if theirs else None


class _Latencies(NamedTuple):
    """Of the subjects that can run here, and of torch by threads."""

    subjects: list[Subject]
    ours: list[tuple[Latency, ...]]
    torch: dict[int, tuple[Latency, ...]]


def bench(bundles: Sequence[Bundle], wishes: Wishes, listener: Listener) -> Report:
    """Measure latency, then throughput, then starts; in each, everything in turns.

    Raises:
        EngineError: an engine that was asked for cannot run a bundle here.
        BundleInvalid: there are no lines, and the bundle brings none.
    """
    texts = wishes.lines or golden_texts(bundles[0])
    subjects = find_subjects(bundles, wishes.engines, wishes.threads)
    if load := _high_load():
        listener.say(f"the machine has been busy (load {load:.1f} on {os.cpu_count()} CPUs): these figures may not be its best")
    latency, throughput, starting = (share * wishes.seconds for share in (_LATENCY, _THROUGHPUT, _START))
    listener.stage(f"latency, up to {latency:.0f} s")
    latencies = _measure_latencies(subjects, texts, wishes, listener.say)
    subjects = latencies.subjects
    listener.stage(f"throughput, up to {throughput:.0f} s")
    classifiers = [Classifier(bundle, engine=engine, threads=threads) for bundle, engine, threads in subjects]
    throughputs = measure_throughput(classifiers, texts, time.monotonic() + throughput)
    del classifiers  # the memory of their models is wanted next
    listener.stage(f"cold start, up to {starting:.0f} s")
    starts = measure_start(subjects, texts[0], time.monotonic() + starting)
    results = tuple(map(Result, subjects, latencies.ours, throughputs, starts))
    torch = wishes.torch
    return Report(results, None if torch is None else TorchResult(torch.name, torch.version, latencies.torch))


def _measure_latencies(
    subjects: Sequence[Subject], texts: Sequence[str], wishes: Wishes, say: Callable[[str], None]
) -> _Latencies:
    opened = list(open_subjects(subjects, say, asked=bool(wishes.engines)))
    bundles = {subject.bundle.root: subject.bundle for subject in subjects}
    samples = {root: _samples(bundle, texts) for root, bundle in bundles.items()}
    groups = [
        [(len(ids), prepare(engine, subject.bundle, ids)) for ids in samples[subject.bundle.root]] for subject, engine in opened
    ]
    if torch := wishes.torch:
        theirs = samples[subjects[0].bundle.root]
        groups += [[(len(ids), torch.prepare(ids, threads)) for ids in theirs] for threads in wishes.threads]
    measured = iter(measure_latency(list(chain.from_iterable(groups)), time.monotonic() + _LATENCY * wishes.seconds))
    latencies = [tuple(islice(measured, len(group))) for group in groups]
    ours, by_threads = latencies[: len(opened)], latencies[len(opened) :]
    return _Latencies([subject for subject, _ in opened], ours, dict(zip(wishes.threads, by_threads, strict=False)))


def _high_load() -> float | None:
    """Return how many CPUs have been at work in the last minute, where that is many; it is not told on Windows."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return load if load > _BUSY * (os.cpu_count() or 1) else None


def _samples(bundle: Bundle, texts: Sequence[str]) -> list[list[int]]:
    """Return token ids of each length to measure."""
    counts = token_counts(bundle)
    ids = sample_ids(bundle, texts, max(counts))
    return [ids[:count] for count in counts]
