"""How far two sets of logits are apart, over many texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_runtimes.numerics import drift

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.vocabulary import Activation, ComputedIn, EngineName


class Run(NamedTuple):
    """What gave some logits."""

    engine: EngineName
    precision: ComputedIn
    activation: Activation
    """What makes probabilities of them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How close logits came to a reference, under one way of running the model."""

    name: str
    texts: int
    agreement: float
    """Share of the texts with the same label, and where the classes do not exclude each other, with the same ones above 0.5."""
    max_drift: float
    """Drift: of one text, the largest absolute change of a class probability."""
    mean_drift: float
    p99_drift: float
    """The 99th percentile: what one text in a hundred exceeds."""
    max_logit_difference: float
    engine: EngineName
    precision: ComputedIn

    @classmethod
    def of(cls, name: str, logits: NDArray[np.float32], reference: NDArray[np.float32], run: Run) -> Condition:
        """Compare logits with a reference, both [texts, classes], at least one text."""
        activation = run.activation
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
            engine=run.engine,
            precision=run.precision,
        )


def _decisions(logits: NDArray[np.float32], activation: Activation) -> NDArray[np.generic]:
    """Return what each text is said to be, [texts, ...]: its label, and where classes do not exclude each other, which hold."""
    best = logits.argmax(axis=1)[:, None]
    return np.concatenate((best, logits > 0), axis=1) if activation == "sigmoid" else best
