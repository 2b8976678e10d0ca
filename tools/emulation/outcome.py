"""Whether answers of another CPU are the same, and the table of what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge_runtimes import numerics
from sentiment_edge_runtimes.comparison import Condition, LogitsOrigin
from sentiment_edge_runtimes.verification import unchanged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import Precision

DRIFT = 2e-3
"""Of int8: a change of a probability that is counted."""
MARGIN = 0.01
"""Between the two likeliest classes, up to which a label may change."""

_HEADINGS = (
    "cpu",
    "model",
    "precision",
    "texts",
    "logits",
    "probabilities",
    "beyond",
    "labels",
    "result",
    "seconds",
    "remarks",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check on one CPU."""

    cpu: str
    model: str
    precision: Precision
    passed: bool
    seconds: float
    texts: int = 0
    logits: float = 0.0
    """Largest difference."""
    probabilities: float = 0.0
    """Largest difference."""
    beyond: int = 0
    """Texts whose probabilities moved by more than `DRIFT`."""
    labels: int = 0
    """Texts whose label changed though the margin was larger than `MARGIN`."""
    remarks: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Where and how long a bundle ran."""

    cpu: str
    model: str
    seconds: float
    remarks: str = ""


def compare(run: Run, bundle: Bundle, logits: NDArray[np.float32], reference: NDArray[np.float32]) -> Outcome:
    """Hold logits against those of this machine, both [texts, classes]."""
    origin = LogitsOrigin("onnxruntime", bundle.manifest.precision, bundle.manifest.activation)
    found = Condition.of(run.cpu, logits, reference, origin)
    ranked = np.sort(numerics.probabilities(reference, bundle.manifest.activation), axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > MARGIN
    changed = int((clear & (logits.argmax(axis=1) != reference.argmax(axis=1))).sum())
    return Outcome(
        cpu=run.cpu,
        model=run.model,
        precision=bundle.manifest.precision,
        passed=unchanged(found) and not changed,
        seconds=run.seconds,
        texts=len(logits),
        logits=found.max_logit_difference,
        probabilities=found.max_drift,
        beyond=int((numerics.drift(logits, reference, bundle.manifest.activation) > DRIFT).sum()),
        labels=changed,
        remarks=run.remarks,
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as lines of columns."""
    rows = [_HEADINGS, *(_cells(outcome) for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _cells(outcome: Outcome) -> tuple[str, ...]:
    measured = ("",) * 5
    if outcome.texts:
        differences = f"{outcome.logits:.1e}", f"{outcome.probabilities:.1e}"
        measured = str(outcome.texts), *differences, str(outcome.beyond), str(outcome.labels)
    result = "pass" if outcome.passed else "FAIL"
    return outcome.cpu, outcome.model, outcome.precision, *measured, result, f"{outcome.seconds:.0f}", outcome.remarks
