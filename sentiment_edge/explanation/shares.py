"""Figures and words of an explanation that its views share; a broken model's weights may be anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentiment_edge.render.text import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.prediction import Explanation, Prediction, TokenWeight

UNREAD = "was not read: the text is longer than the model reads"
"""The reason that a view gives for the end of a truncated text."""
NO_WORDS = "the model reads no word of this text"
"""The reason that a view gives where there is nothing to show."""
TOGETHER = "words shown together were left out together"


def shares(tokens: Sequence[TokenWeight]) -> list[float]:
    """Return each token's weight as a share of the largest in size, -1 to 1; 0 for a weight that is not finite."""
    weights = [token.weight if math.isfinite(token.weight) else 0.0 for token in tokens]
    peak = max(map(abs, weights), default=0.0)
    return [weight / peak if peak > 0 else 0.0 for weight in weights]


def titled(prediction: Prediction) -> str:
    """Return the label and its probability."""
    return f"{prediction.label} {number(prediction.score, 4)}"


def weight_of(token: TokenWeight, explanation: Explanation, digits: int = 4) -> str:
    """Return a weight as the views write it: with its sign where it may have either."""
    return number(token.weight, digits, "+" if explanation.method == "occlusion" else "")


def cost(explanation: Explanation) -> str:
    """Return the method, and how often the model ran for it."""
    return f"{explanation.method}, {explanation.runs} run{'s' * (explanation.runs != 1)} of the model"


def has_spans(explanation: Explanation) -> bool:
    """Tell whether some weights are those of spans: then the words of others were weighed beside them, in more runs."""
    return explanation.method == "occlusion" and explanation.runs > 1 + len(explanation.tokens)


def weighed(explanation: Explanation) -> str:
    """Return the name of what has a weight."""
    if explanation.method == "attention":
        return "token"
    return "word or span" if has_spans(explanation) else "word"


def meaning(explanation: Explanation, label: str) -> str:
    """Return what a weight by occlusion says of a label, which is given as the view writes it."""
    return f"a weight is what the probability of {label} loses without the {weighed(explanation)}"
