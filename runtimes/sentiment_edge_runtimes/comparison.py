"""Comparison of logits with reference logits over many texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_runtimes.numerics import drift

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.vocabulary import Activation, ComputedIn, EngineName


class LogitsOrigin(NamedTuple):
    """The engine and the precision that logits were computed by, and the activation that makes probabilities of them."""

    engine: EngineName
    precision: ComputedIn
    activation: Activation


@dataclass(frozen=True, slots=True)
class Condition:
    """The figures of one comparison: how close logits came to a reference under named conditions."""

    name: str
    texts: int
    agreement: float
    """Share of the texts with the same label; for independent classes, also with the same classes above 0.5."""
    max_drift: float
    """Drift: of one text, the largest absolute change of a class probability."""
    mean_drift: float
    p99_drift: float
    """The 99th percentile of the drifts: one text in a hundred exceeds it."""
    max_logit_difference: float
    engine: EngineName
    precision: ComputedIn

    @classmethod
    def of(cls, name: str, logits: NDArray[np.float32], reference: NDArray[np.float32], origin: LogitsOrigin) -> Condition:
        """Compare logits with a reference, both [texts, classes], of at least one text."""
        activation = origin.activation
        drifts = drift(logits, reference, activation)
        same = _decisions(logits, activation) == _decisions(reference, activation)
        return cls(
            name=name,
            texts=len(logits),
            agreement=float(same.all(axis=1).mean()),
            max_drift=float(drifts.max()),
            mean_drift=float(drifts.mean()),
            p99_drift=float(np.percentile(drifts, 99)),
            max_logit_difference=float(np.abs(logits - reference).max()),
            engine=origin.engine,
            precision=origin.precision,
        )


def _decisions(logits: NDArray[np.float32], activation: Activation) -> NDArray[np.generic]:
    """Return the decisions for each text, [texts, ...]: the best class, and of independent classes each that holds."""
    best = logits.argmax(axis=1)[:, None]
    return np.concatenate((best, logits > 0), axis=1) if activation == "sigmoid" else best
