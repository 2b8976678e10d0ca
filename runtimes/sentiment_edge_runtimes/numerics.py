"""Logits to probabilities, and how far two sets of logits are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.vocabulary import Activation


def probabilities(logits: NDArray[np.float32], activation: Activation) -> NDArray[np.float64]:
    """Return probabilities, float64 [texts, classes], of logits [texts, classes]."""
    if activation == "sigmoid":
        # Of the two equal forms, the one whose exponential cannot overflow.
        power = np.exp(-np.abs(logits.astype(np.float64)))
        each: NDArray[np.float64] = np.where(logits < 0, power, 1) / (1 + power)
        return each
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return shares


def drift(logits: NDArray[np.float32], reference: NDArray[np.float32], activation: Activation) -> NDArray[np.float64]:
    """Return each text's largest absolute change of a class probability, float64 [texts]; NaN where logits are."""
    changes: NDArray[np.float64] = np.abs(probabilities(logits, activation) - probabilities(reference, activation)).max(axis=1)
    return changes
