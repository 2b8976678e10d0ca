"""A benchmark report as a PNG picture; needs the extra `plot`."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from sentiment_edge.benchmark.text import titles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sentiment_edge.benchmark.latency import Latency
    from sentiment_edge.benchmark.result import BenchmarkReport

_WIDTH, _HEIGHT, _BAR = 11, 4.5, 0.35
"""Inches."""


def picture(report: BenchmarkReport) -> bytes:
    """Return a PNG of the latency by length, from the median to the 90th percentile, and of lines per second."""
    subjects = zip(titles(report), (result.subject for result in report.results), strict=True)
    labels = [
        _plain(f"{title} {bundle.manifest.computed_in(engine)}\n{engine}, {_threads(threads)}")
        for title, (bundle, engine, threads) in subjects
    ]
    height = max(_HEIGHT, _BAR * len(labels) + 2)
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_latencies(left, report)
    _draw_throughputs(right, report, labels)
    png = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # characters that the font lacks show as boxes
        figure.savefig(png, format="png", dpi=120)
    return png.getvalue()


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


def _plain(text: str) -> str:
    """Escape the signs that matplotlib would read as a formula's."""
    return text.replace("$", r"\$")
