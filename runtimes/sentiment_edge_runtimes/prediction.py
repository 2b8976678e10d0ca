"""The results of a classifier: predictions, texts without one, and explanations."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.vocabulary import Method

NO_NUMBER = "the model's answer to this text is not a number"
"""The reason why such a text has no prediction."""


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
    """A token of a text with the attention that it got, or by occlusion a word, or a span of words, with its effect."""

    token: str
    """The token as the tokenizer names it; by occlusion the characters themselves."""
    weight: float
    """By attention, the share of it, 0 to 1. The shares sum to 1, less those of padding where the model reads padding.

    By occlusion, the probability of the predicted label less its probability without these characters, -1 to 1: positive where
    they speak for the label, negative where they speak against it. The weights have no particular sum.
    """
    start: int
    end: int
    """It covers the characters `text[start:end]`, none in the case of special tokens such as [CLS] and [SEP]."""

    def to_dict(self) -> dict[str, Any]:
        """Return `token`, `weight`, `start` and `end`, as JSON takes them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction with the weights of the text's tokens, or of its words."""

    text: str
    prediction: Prediction
    tokens: tuple[TokenWeight, ...]
    """In the order of the text. By occlusion they are the words that were read; of a long text, spans and the words of the
    strongest ones."""
    method: Method = "attention"
    runs: int = 1
    """Texts that the model was run with for it, the text itself among them."""

    def to_dict(self) -> dict[str, Any]:
        """Return `text`, the prediction's entries, `method`, `runs` and `tokens`, as JSON takes them."""
        tokens = [token.to_dict() for token in self.tokens]
        return {"text": self.text, **self.prediction.to_dict(), "method": self.method, "runs": self.runs, "tokens": tokens}
