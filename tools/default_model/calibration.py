"""Temperatures (Guo et al., 2017): by what to divide a model's logits for them to be as sure as they are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CANDIDATES = np.linspace(0.5, 4, 176)


def fit_temperature(margins: NDArray[np.float32], positive: NDArray[np.float32]) -> float:
    """Return the temperature at which labels are most likely.

    Args:
        margins: for each text, how much the logit of positive is above that of negative.
        positive: for each text, 1 if it is positive, 0 if it is negative, 0.5 if neither.
    """
    losses = [np.mean(np.logaddexp(0, margins / each) - positive * margins / each) for each in _CANDIDATES]
    return float(_CANDIDATES[int(np.argmin(losses))])
