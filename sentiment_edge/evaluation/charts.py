"""Charts of an evaluation: ROC curves and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge.metrics import roc_curve
from sentiment_edge.render.svg import DIAGONAL, Axis, across, bar, colour, plot, up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentiment_edge.metrics import Bin, Outcomes

_POINTS = 400
"""Points of a curve; more cannot be seen."""


def roc_chart(outcomes: Outcomes) -> str:
    """Return the ROC curve of each class against the rest; a class that has all rows or none has no curve."""
    shapes = []
    for index in range(len(outcomes.labels)):
        positive = outcomes.truth == index
        if outcomes.probabilities is None or positive.all() or not positive.any():
            continue
        rates = np.stack(roc_curve(positive, outcomes.probabilities[:, index]), axis=1)
        if len(rates) > _POINTS:
            rates = rates[np.linspace(0, len(rates) - 1, _POINTS).round().astype(int)]
        shapes.append(f'<polyline class="curve {colour(index)}" points="{_points(rates.tolist())}"/>')
    return plot(Axis("false positive rate"), Axis("true positive rate"), [*shapes, DIAGONAL])


def reliability_chart(bins: Sequence[Bin]) -> str:
    """Return a bar for each bin: the share of right predictions over their mean probability, equal on the diagonal."""
    bars = [
        bar(
            part.low,
            part.high,
            part.accuracy,
            f"{part.rows} rows: {part.confidence:.4f} mean probability, {part.accuracy:.4f} right",
        )
        for part in bins
        if part.confidence is not None and part.accuracy is not None
    ]
    return plot(Axis("probability of the predicted label"), Axis("share that is right"), [*bars, DIAGONAL])


def _points(rates: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in rates)
