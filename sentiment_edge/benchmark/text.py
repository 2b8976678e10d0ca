"""A benchmark report as text for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge.render.text import aligned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge.benchmark.latency import Latency
    from sentiment_edge.benchmark.result import BenchmarkReport, BenchmarkResult

_NAMES = ("bundle", "precision", "engine", "threads")
_LEFT = 3
"""Columns aligned to the left; figures follow, aligned to the right."""


def text(report: BenchmarkReport) -> str:
    """Return the latencies at each length, then throughput, cold start and memory of each subject."""
    measured = report.results[0].throughput
    return "\n\n".join(
        (
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
