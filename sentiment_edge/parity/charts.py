"""Charts of the difference between the bundle's probabilities and torch's, text by text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge.render.svg import DIAGONAL, Axis, across, bar, colour, dashed, plot, up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_LEAST = -9
"""Decade below which a drift counts as none: zero has no logarithm."""
_BARS = 4
"""Bars in a decade."""
_POINTS = 3000
"""Points of a class; more cannot be told apart."""


def drift_chart(drifts: Array, bound: float) -> str:
    """Return a bar for each range of drift, as high as its number of texts, and a dashed line at the bound on their mean.

    Args:
        drifts: the drift of each text; at least one, all finite.
        bound: the bound on the mean; the line is left out if there is no bound or it is off the scale.
    """
    decades = np.log10(np.clip(drifts, 10.0**_LEAST, 1))
    marked = math.log10(bound) if 10.0**_LEAST <= bound <= 1 else None
    shown = [*decades.tolist(), *([] if marked is None else [marked])]
    low = min(math.floor(min(shown)), -1)
    high = min(max(math.ceil(max(shown)), low + 1), 0)
    counts, edges = np.histogram(decades, _BARS * (high - low), (low, high))
    most = 4 * math.ceil(counts.max() / 4)
    bars = [
        bar(_part(left, low, high), _part(right, low, high), count / most, f"{count} texts: drift {_range(left, right)}")
        for count, left, right in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if count
    ]
    line = [] if marked is None else [dashed((_part(marked, low, high), 0), (_part(marked, low, high), 1))]
    ticks = tuple((_part(decade, low, high), f"1e{decade}" if decade else "1") for decade in range(low, high + 1))
    heights = tuple((quarter / 4, f"{most * quarter // 4}") for quarter in range(5))
    return plot(Axis("drift", ticks), Axis("texts", heights), [*bars, *line])


def scatter_chart(torch: Array, bundle: Array) -> str:
    """Return a point for each text and class: the bundle's probability over torch's, equal on the diagonal.

    Args:
        torch: probabilities, [texts, classes]; at least one text, all finite.
        bundle: the same.
    """
    classes = zip(torch.T, bundle.T, strict=True)
    points = [f'<path class="points {colour(index)}" d="{_dots(*pair)}"/>' for index, pair in enumerate(classes)]
    return plot(Axis("probability in torch"), Axis("probability in the bundle"), [DIAGONAL, *points])


def _dots(torch: Array, bundle: Array) -> str:
    """Return one class's points as a path; of too many, a part at equal steps in the order of their drift."""
    order = np.abs(bundle - torch).argsort(kind="stable")[::-1]
    kept = order[np.linspace(0, len(order) - 1, min(len(order), _POINTS)).round().astype(int)]
    places = zip(torch[kept].tolist(), bundle[kept].tolist(), strict=True)
    distinct = dict.fromkeys(f"M{across(x):.1f} {up(y):.1f}h0" for x, y in places)
    return "".join(distinct)


def _part(decade: float, low: float, high: float) -> float:
    return (decade - low) / (high - low)


def _range(left: float, right: float) -> str:
    return f"up to {10**right:.2g}" if left == _LEAST else f"from {10**left:.2g} to {10**right:.2g}"
