"""Results as one picture: DistilBERT's shape, ours beside the others."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from suite.report.results import FIRST_ANSWER, INSTALLED, PEAK_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes

    from suite.report.results import Measured, Results

SUBJECT = "distilbert"
_OURS, _OTHERS = "#1f77b4", "#c4c4c4"
_DPI, _COLORS = 80, 32
"""Few enough for a file of tens of kilobytes."""
_PANELS: dict[str, tuple[str, Callable[[float], float]]] = {
    "1x16": ("one text of 16 tokens, ms", lambda seconds: 1000 * seconds),
    "1x128": ("one text of 128 tokens, ms", lambda seconds: 1000 * seconds),
    "SST-2": ("SST-2, lines per second", lambda seconds: 1 / seconds),
    FIRST_ANSWER: ("first answer, s", lambda seconds: seconds),
    PEAK_MEMORY: ("peak memory, MB", lambda size: size / 1e6),
    INSTALLED: ("installed, MB", lambda size: size / 1e6),
}


def draw(results: Results, path: Path) -> None:
    """Write the picture as PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - not for the tables
    from PIL import Image  # noqa: PLC0415

    subject = results.subjects[SUBJECT]
    figure = Figure(figsize=(12, 8), layout="constrained")
    figure.suptitle(f"{subject.title}\n{results.cpu}, {results.threads} threads, {results.date}", fontsize=11)
    for axes, (name, panel) in zip(figure.subplots(2, 3).flat, _PANELS.items(), strict=True):
        _draw_panel(axes, subject.all()[name], *panel)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=_DPI)
    Image.open(drawn).convert("RGB").quantize(_COLORS).save(path, optimize=True)


def _draw_panel(axes: Axes, measured: Measured, title: str, convert: Callable[[float], float]) -> None:
    values = {name.replace("`", ""): convert(figure) for name, figure in measured.figures.items()}
    names = list(values)[::-1]
    bars = axes.barh(names, [values[name] for name in names], color=[_color(name) for name in names])
    axes.bar_label(bars, fmt=lambda value: f"{value:.3g}" if value < 1000 else f"{value:,.0f}", padding=2, fontsize=7)  # noqa: PLR2004
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.15)


def _color(name: str) -> str:
    return _OURS if name.startswith("ours") else _OTHERS


def drawable(results: Results) -> bool:
    """Return whether all was measured that the picture shows."""
    subject = results.subjects.get(SUBJECT)
    return subject is not None and subject.all().keys() >= _PANELS.keys()
