"""Figures of an explanation that its views share; a broken model's may be anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentiment_edge.render.text import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.prediction import Prediction, TokenWeight


def shares(tokens: Sequence[TokenWeight]) -> list[float]:
    """Return each token's weight as a share of the largest, 0 to 1; 0 for a weight that is negative or not finite."""
    weights = [token.weight if math.isfinite(token.weight) else 0.0 for token in tokens]
    peak = max(weights, default=0.0)
    return [max(0.0, weight) / peak if peak > 0 else 0.0 for weight in weights]


def titled(prediction: Prediction) -> str:
    """Return the label and its probability."""
    return f"{prediction.label} {number(prediction.score, 4)}"
