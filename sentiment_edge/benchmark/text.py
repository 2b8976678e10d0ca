"""A benchmark report as text for the terminal, which tells all that others need who compare it with theirs."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge.render.text import aligned, visible
from sentiment_edge_runtimes.engines.selection import installed_engines
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.memory import machine_memory
from sentiment_edge_runtimes.machine.system import PYTHON_BITS, system_name
from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge.benchmark.latency import Latency
    from sentiment_edge.benchmark.result import BenchmarkReport, BenchmarkResult

_NAMES = ("bundle", "precision", "engine", "threads")
_LEFT = 3
"""Columns aligned to the left; figures follow, aligned to the right."""


def text(report: BenchmarkReport) -> str:
    """Return the machine, the latencies at each length, then throughput, cold start and memory of each subject."""
    measured = report.results[0].throughput
    return "\n\n".join(
        (
            "\n".join(map(visible, filter(None, _machine(report)))),
            f"one text, the model alone, ms\n{aligned([*_latencies(report)], _LEFT)}",
            f"{measured.lines} lines, and a fresh process with one\n{aligned([*_totals(report)], _LEFT)}",
        )
    )


def titles(report: BenchmarkReport) -> list[str]:
    """Return a title for each result's bundle: its folder's name, or its path if two have the same name."""
    roots = [result.subject.bundle.root for result in report.results]
    folders = {Path(root).resolve() for root in roots}
    unique = len({folder.name for folder in folders}) == len(folders)
    return [root.resolve().name if unique else str(root) for root in roots]


def _machine(report: BenchmarkReport) -> Iterator[str]:
    """Yield lines that tell where and with what it was measured; a line is empty where the system tells nothing."""
    cpu, memory = cpu_features(), machine_memory()
    size = None if memory.total is None else f"{(memory.limit or memory.total) / 1e9:.1f} GB of memory"
    features = f"{cpu.name or 'unknown CPU'} ({' '.join(cpu.features) or 'no features known'})"
    yield ", ".join(filter(None, (features, f"usable CPUs {usable_cpus()}", size)))
    libraries = (f"{name} {number}" for name, number in installed_engines().items())
    python = f"Python {platform.python_version()} ({PYTHON_BITS}-bit)"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    yield ", ".join((system_name(), python, f"sentiment-edge {version('sentiment-edge')}", *libraries, today))
    load = None if report.load is None else f"load before {report.load:.1f}"
    yield ", ".join(filter(None, (load, str(report.clock))))


def _latencies(report: BenchmarkReport) -> Iterator[list[str]]:
    torch = report.torch
    yield [*_NAMES, "tokens", "p50", "p90", "p99", *(["times torch"] if torch else [])]
    for title, result in zip(titles(report), report.results, strict=True):
        for latency in result.latencies:
            times = report.speedup(result.subject, latency)
            ratio = [] if torch is None else ["-" if times is None else f"{times:.1f}"]
            yield [*_name(title, result), *_milliseconds(latency), *ratio]
    for threads, latencies in torch.latencies.items() if torch else ():
        for latency in latencies:
            yield [torch.name if torch else "", "fp32", "torch", str(threads), *_milliseconds(latency), "1"]


def _totals(report: BenchmarkReport) -> Iterator[list[str]]:
    yield [*_NAMES, "lines/s", "padding", "cold start, ms", "peak memory, MB"]
    for title, result in zip(titles(report), report.results, strict=True):
        start = result.cold_start
        peak = "-" if start.peak_memory is None else f"{start.peak_memory / 1e6:.0f}"
        rate, padding = f"{result.throughput.lines_per_second:,.0f}", f"{100 * result.throughput.padding:.1f} %"
        yield [*_name(title, result), rate, padding, f"{1000 * start.seconds:.0f}", peak]


def _name(title: str, result: BenchmarkResult) -> list[str]:
    bundle, engine, threads = result.subject
    return [title, bundle.manifest.computed_in(engine), engine, str(threads)]


def _milliseconds(latency: Latency) -> list[str]:
    return [str(latency.tokens), *(f"{1000 * seconds:.2f}" for seconds in (latency.p50, latency.p90, latency.p99))]
