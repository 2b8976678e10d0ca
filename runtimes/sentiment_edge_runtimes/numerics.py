"""Probabilities of logits, and the drift between two sets of logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.vocabulary import Activation


def probabilities(logits: NDArray[np.float32], activation: Activation) -> NDArray[np.float64]:
    """Return the probabilities, float64 [texts, classes], that logits of the same shape stand for."""
    if activation == "sigmoid":
        # Of the two equal forms, the one whose exponential cannot overflow.
        power = np.exp(-np.abs(logits.astype(np.float64)))
        each: NDArray[np.float64] = np.where(logits < 0, power, 1) / (1 + power)
        return each
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return shares


def drift(logits: NDArray[np.float32], reference: NDArray[np.float32], activation: Activation) -> NDArray[np.float64]:
    """Return the largest absolute change of a class probability of each text, float64 [texts]; NaN where its logits are NaN."""
    changes: NDArray[np.float64] = np.abs(probabilities(logits, activation) - probabilities(reference, activation)).max(axis=1)
    return changes
