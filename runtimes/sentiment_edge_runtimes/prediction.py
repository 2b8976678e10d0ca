"""What a classifier answers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Prediction:
    """The label of one text."""

    label: str
    score: float
    """Probability of the label, 0 to 1."""
    scores: dict[str, float] = field(repr=False)
    """Probability of every label."""
    truncated: bool = False
    """Whether the text was longer than the model reads and its end was not seen."""


@dataclass(frozen=True, slots=True)
class TokenWeight:
    """One token and the attention it got."""

    token: str
    weight: float
    """Share of the attention, 0 to 1; they sum to 1, less what padding got where the model reads padding."""
    start: int
    end: int
    """The characters of the text that the token covers: `text[start:end]`; empty for [CLS] and [SEP]."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which tokens a prediction looked at."""

    text: str
    prediction: Prediction
    tokens: tuple[TokenWeight, ...]
