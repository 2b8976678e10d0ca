"""A benchmark report as a PNG picture; needs the extra `plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import NullFormatter, ScalarFormatter

from sentiment_edge.benchmark.text import titles
from sentiment_edge.render.picture import literal, png

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sentiment_edge.benchmark.latency import Latency
    from sentiment_edge.benchmark.result import BenchmarkReport

_WIDTH, _HEIGHT, _BAR = 11, 4.5, 0.35
"""Inches."""
_TITLE = 60
"""The most characters of a bundle's name."""


def picture(report: BenchmarkReport) -> bytes:
    """Return a PNG of the latency by length, from the median to the 90th percentile, and of lines per second."""
    subjects = zip(titles(report), (result.subject for result in report.results), strict=True)
    labels = [
        f"{literal(title, _TITLE)} {bundle.manifest.computed_in(engine)}\n{engine}, {_threads(threads)}"
        for title, (bundle, engine, threads) in subjects
    ]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        _draw_latencies(left, report)
        _draw_throughputs(right, report, labels)

    return png((_WIDTH, max(_HEIGHT, _BAR * len(labels) + 2)), draw)


def _draw_latencies(axes: Axes, report: BenchmarkReport) -> None:
    for index, result in enumerate(report.results):
        _draw_line(axes, result.latencies, f"C{index}", "")
    for threads, latencies in report.torch.latencies.items() if report.torch else ():
        _draw_line(axes, latencies, str(0.2 + 0.5 / threads), f"torch fp32, {_threads(threads)}")
    axes.set(title="one text, the model alone: median to p90", xlabel="tokens", ylabel="ms", xscale="log", yscale="log")
    tokens = sorted({latency.tokens for result in report.results for latency in result.latencies})
    axes.set_xticks(tokens, list(map(str, tokens)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.grid(alpha=0.3)
    if report.torch:
        axes.legend(fontsize=7)  # the other lines have the colours of the bars


def _draw_line(axes: Axes, latencies: Sequence[Latency], colour: str, label: str) -> None:
    tokens = [latency.tokens for latency in latencies]
    medians = [1000 * latency.p50 for latency in latencies]
    axes.plot(tokens, medians, marker="o", markersize=3, color=colour, label=label)
    axes.fill_between(tokens, medians, [1000 * latency.p90 for latency in latencies], color=colour, alpha=0.15, linewidth=0)


def _draw_throughputs(axes: Axes, report: BenchmarkReport, labels: Sequence[str]) -> None:
    rates = [result.throughput.lines_per_second for result in report.results]
    colours = [f"C{index}" for index in range(len(rates))]
    bars = axes.barh(range(len(rates)), rates, color=colours)
    axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=3, fontsize=8)
    axes.set_yticks(range(len(rates)), labels, fontsize=7)
    axes.invert_yaxis()
    axes.set(title="real lines, text to prediction", xlabel="lines per second")
    axes.margins(x=0.15)


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"
