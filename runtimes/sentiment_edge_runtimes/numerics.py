"""Logits to probabilities, and how far two sets of logits are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return probabilities, float64 [texts, classes], of logits [texts, classes]."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def drift(logits: NDArray[np.float32], reference: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return each text's largest absolute change of a class probability, float64 [texts]; NaN where logits are."""
    changes: NDArray[np.float64] = np.abs(softmax(logits) - softmax(reference)).max(axis=1)
    return changes


@dataclass(frozen=True, slots=True)
class Condition:
    """How close logits came to a reference, under one way of running the model."""

    name: str
    texts: int
    agreement: float
    """Share of the texts with the same label."""
    max_drift: float
    """Drift: of one text, the largest absolute change of a class probability."""
    mean_drift: float
    max_logit_difference: float

    @classmethod
    def of(cls, name: str, logits: NDArray[np.float32], reference: NDArray[np.float32]) -> Condition:
        """Compare logits with a reference, both [texts, classes], at least one text."""
        drifts = drift(logits, reference)
        return cls(
            name=name,
            texts=len(logits),
            agreement=float((logits.argmax(axis=1) == reference.argmax(axis=1)).mean()),
            max_drift=float(drifts.max()),
            mean_drift=float(drifts.mean()),
            max_logit_difference=float(np.abs(logits - reference).max()),
        )
