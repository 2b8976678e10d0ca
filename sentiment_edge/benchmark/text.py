"""A report for reading in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.benchmark.latency import Latency
    from sentiment_edge.benchmark.run import Report, Result

_NAMES = ("bundle", "precision", "engine", "threads")
_LEFT = 3
"""Columns of names; what follows are figures, to the right."""


def tables(report: Report) -> str:
    """Return the latencies at each length, then what there is one figure of for each bundle, engine and number of threads."""
    measured = report.results[0].throughput
    return "\n\n".join(
        (
            f"one text, the model alone, ms\n{aligned(list(_latencies(report)))}",
            f"{measured.lines} lines, and a fresh process with one\n{aligned(list(_totals(report)))}",
        )
    )


def titles(report: Report) -> list[str]:
    """Return what to call each result's bundle: its folder's name, or the path where two have one name."""
    roots = [result.subject.bundle.root for result in report.results]
    folders = {Path(root).resolve() for root in roots}
    unique = len({folder.name for folder in folders}) == len(folders)
    return [root.resolve().name if unique else str(root) for root in roots]


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            f"{cell:<{width}}" if index < _LEFT else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _latencies(report: Report) -> Iterator[list[str]]:
    torch = report.torch
    yield [*_NAMES, "tokens", "p50", "p90", "p99", *(["times torch"] if torch else [])]
    for title, result in zip(titles(report), report.results, strict=True):
        for latency in result.latencies:
            times = report.times_torch(result.subject, latency)
            ratio = [] if torch is None else ["-" if times is None else f"{times:.1f}"]
            yield [*_name(title, result), *_milliseconds(latency), *ratio]
    for threads, latencies in torch.latencies.items() if torch else ():
        for latency in latencies:
            yield [torch.name if torch else "", "fp32", "torch", str(threads), *_milliseconds(latency), "1"]


def _totals(report: Report) -> Iterator[list[str]]:
    yield [*_NAMES, "lines/s", "cold start, ms", "peak memory, MB"]
    for title, result in zip(titles(report), report.results, strict=True):
        start = result.start
        peak = "-" if start.peak_memory is None else f"{start.peak_memory / 1e6:.0f}"
        yield [*_name(title, result), f"{result.throughput.lines_per_second:,.0f}", f"{1000 * start.seconds:.0f}", peak]


def _name(title: str, result: Result) -> list[str]:
    bundle, engine, threads = result.subject
    return [title, bundle.manifest.computed_in(engine), engine, str(threads)]


def _milliseconds(latency: Latency) -> list[str]:
    return [str(latency.tokens), *(f"{1000 * seconds:.2f}" for seconds in (latency.p50, latency.p90, latency.p99))]
