"""One run of the benchmark: everything that was asked for, in the time that is given."""

from __future__ import annotations

import os
import time
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge.benchmark.cold_start import measure_cold_start
from sentiment_edge.benchmark.latency import Latency, measure_latency, prepare, token_counts
from sentiment_edge.benchmark.result import BenchmarkReport, BenchmarkResult, TorchResult
from sentiment_edge.benchmark.subjects import Subject, find_subjects, open_subjects
from sentiment_edge.benchmark.texts import golden_texts, sample_ids
from sentiment_edge.benchmark.throughput import measure_throughput
from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.machine.clock import cpu_clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.benchmark.torch_baseline import TorchModel
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.progress import Progress
    from sentiment_edge_runtimes.vocabulary import EngineChoice

_LATENCY, _THROUGHPUT, _COLD_START = 0.5, 0.3, 0.2
"""Shares of the time."""
_BUSY = 0.5
"""Share of the machine's CPUs: if more than that are busy already, the figures suffer from it."""


class BenchmarkRequest(NamedTuple):
    """Subjects to measure, and the time for it."""

    engines: tuple[EngineChoice, ...]
    """Empty for every engine that is installed and in the bundle."""
    threads: tuple[int, ...]
    lines: tuple[str, ...] | None
    """Real lines; None for the texts that the first bundle brings."""
    seconds: float
    """For everything together, approximately; each part takes its least number of runs even so."""
    torch: TorchModel | None = None


class _Latencies(NamedTuple):
    """Latencies of the subjects that can run here, and of torch by number of threads."""

    subjects: list[Subject]
    ours: list[tuple[Latency, ...]]
    lengths: list[Sequence[int] | None]
    """Those that the engine of each pads to."""
    torch: dict[int, tuple[Latency, ...]]


def run_benchmark(bundles: Sequence[Bundle], request: BenchmarkRequest, progress: Progress) -> BenchmarkReport:
    """Measure latency, then throughput, then cold start, the subjects taking turns in each.

    Raises:
        EngineError: an engine that was asked for cannot run a bundle here.
        BundleInvalid: no lines are given, and the bundle brings none.
    """
    texts = request.lines or golden_texts(bundles[0])
    subjects = find_subjects(bundles, request.engines, request.threads)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None  # which Windows does not have
    for reason in _slowed_by(load):
        progress.remark(f"{reason}: these figures may not be its best")
    latency, throughput, cold_start = (share * request.seconds for share in (_LATENCY, _THROUGHPUT, _COLD_START))
    progress.stage(f"latency, up to {latency:.0f} s")
    latencies = _measure_latencies(subjects, texts, request, progress)
    subjects = latencies.subjects
    progress.stage(f"throughput, up to {throughput:.0f} s")
    classifiers = [Classifier(bundle, engine=engine, threads=threads) for bundle, engine, threads in subjects]
    throughputs = measure_throughput(classifiers, latencies.lengths, texts, time.monotonic() + throughput)
    del classifiers  # frees the memory of their models
    progress.stage(f"cold start, up to {cold_start:.0f} s")
    cold_starts = measure_cold_start(subjects, texts[0], time.monotonic() + cold_start)
    results = tuple(map(BenchmarkResult, subjects, latencies.ours, throughputs, cold_starts))
    torch = request.torch
    theirs = None if torch is None else TorchResult(torch.name, torch.version, latencies.torch)
    return BenchmarkReport(results, theirs, load, cpu_clock())


def _measure_latencies(
    subjects: Sequence[Subject], texts: Sequence[str], request: BenchmarkRequest, progress: Progress
) -> _Latencies:
    opened = list(open_subjects(subjects, progress, asked=bool(request.engines)))
    bundles = {subject.bundle.root: subject.bundle for subject in subjects}
    samples = {root: _samples(bundle, texts) for root, bundle in bundles.items()}
    groups = [
        [(len(ids), prepare(engine, subject.bundle, ids)) for ids in samples[subject.bundle.root]] for subject, engine in opened
    ]
    if torch := request.torch:
        theirs = samples[subjects[0].bundle.root]
        groups += [[(len(ids), torch.prepare(ids, threads)) for ids in theirs] for threads in request.threads]
    measured = iter(measure_latency(list(chain.from_iterable(groups)), time.monotonic() + _LATENCY * request.seconds))
    latencies = [tuple(islice(measured, len(group))) for group in groups]
    ours, by_threads = latencies[: len(opened)], latencies[len(opened) :]
    lengths = [engine.lengths for _, engine in opened]
    return _Latencies([subject for subject, _ in opened], ours, lengths, dict(zip(request.threads, by_threads, strict=False)))


def _slowed_by(load: float | None) -> Iterator[str]:
    """Yield the reasons why this machine is slower now than it can be."""
    if (load or 0) > _BUSY * (os.cpu_count() or 1):
        yield f"the machine has been busy (load {load:.1f} on {os.cpu_count()} CPUs)"
    yield from cpu_clock().problems


def _samples(bundle: Bundle, texts: Sequence[str]) -> list[list[int]]:
    """Return token ids of each length to measure."""
    counts = token_counts(bundle)
    ids = sample_ids(bundle, texts, max(counts))
    return [ids[:count] for count in counts]
