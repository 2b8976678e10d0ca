"""Curves as inline SVG: no script, no font, no file besides; colours come from the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge_runtimes.evaluation import roc_curve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentiment_edge_runtimes.evaluation import Bin, Outcomes

COLOURS = 8
"""Classes `c0` to `c7` of the page; further curves start over."""
_SIDE, _LEFT, _TOP, _BOTTOM = 300, 46, 12, 44
"""Pixels: the square of a plot, and the margins that hold its scales."""
_POINTS = 400
"""Of a curve; more cannot be seen."""


def roc_chart(outcomes: Outcomes) -> str:
    """Return the curve of each class against the rest, from probabilities; a class with all rows or none has no curve."""
    shapes = []
    for index in range(len(outcomes.labels)):
        positive = outcomes.truth == index
        if outcomes.probabilities is None or positive.all() or not positive.any():
            continue
        rates = np.stack(roc_curve(positive, outcomes.probabilities[:, index]), axis=1)
        if len(rates) > _POINTS:
            rates = rates[np.linspace(0, len(rates) - 1, _POINTS).round().astype(int)]
        shapes.append(f'<polyline class="curve c{index % COLOURS}" points="{_points(rates.tolist())}"/>')
    return _chart("false positive rate", "true positive rate", shapes)


def reliability_chart(bins: Sequence[Bin]) -> str:
    """Return a bar for each bin: how often its predictions are right, over how sure they are, which the diagonal marks."""
    bars = [
        _bar(part, part.confidence, part.accuracy) for part in bins if part.confidence is not None and part.accuracy is not None
    ]
    return _chart("probability of the predicted label", "share that is right", bars)


def _bar(part: Bin, confidence: float, accuracy: float) -> str:
    return (
        f'<rect class="bar" x="{_across(part.low):.1f}" y="{_up(accuracy):.1f}" '
        f'width="{_SIDE * (part.high - part.low) - 1:.1f}" height="{_SIDE * accuracy:.1f}">'
        f"<title>{part.rows} rows: {confidence:.4f} sure, {accuracy:.4f} right</title></rect>"
    )


def _chart(across: str, up: str, shapes: Iterable[str]) -> str:
    """Return a unit square with scales and its diagonal, and the shapes in it."""
    width, height = _LEFT + _SIDE + 14, _TOP + _SIDE + _BOTTOM
    scales = [
        f'<path class="grid" d="M{_across(tick):.1f} {_up(0)}V{_TOP}M{_LEFT} {_up(tick):.1f}H{_LEFT + _SIDE}"/>'
        f'<text class="tick" x="{_across(tick):.1f}" y="{_up(0) + 16}" text-anchor="middle">{tick:g}</text>'
        f'<text class="tick" x="{_LEFT - 6}" y="{_up(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in (0, 0.25, 0.5, 0.75, 1)
    ]
    middle = _TOP + _SIDE / 2
    return "\n".join(
        (
            f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{up} over {across}">',
            *scales,
            *shapes,
            f'<path class="diagonal" d="M{_LEFT} {_up(0)}L{_LEFT + _SIDE} {_TOP}"/>',
            f'<text x="{_LEFT + _SIDE / 2}" y="{height - 8}" text-anchor="middle">{across}</text>',
            f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{up}</text>',
            "</svg>",
        )
    )


def _points(rates: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_across(x):.1f},{_up(y):.1f}" for x, y in rates)


def _across(share: float) -> float:
    return _LEFT + _SIDE * share


def _up(share: float) -> float:
    return _TOP + _SIDE * (1 - share)
