"""The results of a classifier: predictions, texts without one, and explanations."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, repr=False)
class Prediction:
    """The label of one text. Its `repr` is short: it rounds the score and leaves out `scores`."""

    label: str
    score: float
    """Probability of the label, 0 to 1."""
    scores: dict[str, float]
    """Probability of every label."""
    truncated: bool = False
    """True if the text was longer than the model reads, so that its end was not seen."""

    def __repr__(self) -> str:
        """Return label and score, and `truncated` if it is true."""
        return f"{type(self).__name__}(label={self.label!r}, score={self.score:.4f}{', truncated=True' * self.truncated})"

    def to_dict(self) -> dict[str, Any]:
        """Return `label`, `score`, `scores` and `truncated`, unrounded, as JSON takes them."""
        return {"label": self.label, "score": self.score, "scores": dict(self.scores), "truncated": self.truncated}


def most_probable(labels: Sequence[str], scores: Sequence[float], *, truncated: bool) -> Prediction:
    """Return the prediction of a text, of whose labels the first of the highest score is taken."""
    best = max(range(len(labels)), key=scores.__getitem__)
    return Prediction(labels[best], scores[best], dict(zip(labels, scores, strict=True)), truncated)


@dataclass(frozen=True, slots=True)
class FailedPrediction:
    """One text that could not be answered, in the place of its prediction: it has no label, and an `error`."""

    error: str
    """The reason, one line."""
    label: None = field(default=None, init=False, repr=False)
    score: None = field(default=None, init=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a prediction's entries without their values, and `error`, as JSON takes them."""
        return {"label": None, "score": None, "scores": {}, "truncated": False, "error": self.error}


@dataclass(frozen=True, slots=True)
class TokenWeight:
    """One token and the attention it got."""

    token: str
    weight: float
    """Share of the attention, 0 to 1. The shares sum to 1, less those of padding where the model reads padding."""
    start: int
    end: int
    """The token covers the characters `text[start:end]`, none in the case of special tokens such as [CLS] and [SEP]."""

    def to_dict(self) -> dict[str, Any]:
        """Return `token`, `weight`, `start` and `end`, as JSON takes them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction with the attention of the model over the text's tokens."""

    text: str
    prediction: Prediction
    tokens: tuple[TokenWeight, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return `text`, the prediction's entries and `tokens`, as JSON takes them."""
        return {"text": self.text, **self.prediction.to_dict(), "tokens": [token.to_dict() for token in self.tokens]}
