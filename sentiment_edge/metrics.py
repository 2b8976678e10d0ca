"""Metrics of predictions: accuracy, precision, recall and F1, ROC AUC, calibration, and McNemar's test of two models.

As in scikit-learn, precision, recall and F1 are 0 if their denominator is 0, and averages are over the classes that occur as a
true or a predicted label.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CALIBRATION_BINS = 15
_TWO = 2


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """True and predicted labels of rows."""

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    """True class index of each row, [rows]."""
    predicted: NDArray[np.int64]
    """Predicted class index of each row, [rows]."""
    probabilities: NDArray[np.float64] | None = None
    """Probability of each class, [rows, classes]; None if they are not known."""


class Scores(NamedTuple):
    """Precision, recall and F1 of one class, or their averages."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class against the rest."""

    label: str
    scores: Scores
    support: int
    """Number of rows of this class."""
    roc_auc: float | None
    """None if it is undefined: there are no probabilities, or no row or every row is of this class."""


class Bin(NamedTuple):
    """The rows whose prediction had a probability above `low` and up to `high`."""

    low: float
    high: float
    rows: int
    confidence: float | None
    """Mean probability of the predicted labels; None if there are no rows."""
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of one model on labelled rows."""

    rows: int
    accuracy: float
    classes: tuple[ClassFigures, ...]
    macro: Scores
    """Average in which every class counts the same."""
    weighted: Scores
    """Average in which every class counts by its support."""
    confusion: tuple[tuple[int, ...], ...]
    """Rows by true class, then by predicted class."""
    roc_auc: float | None
    """With two classes that of the second; with more, the mean over each class against the rest. None if it is undefined."""
    roc_auc_undefined: str | None
    """The reason why there is no ROC AUC."""
    calibration_error: float | None
    """Expected calibration error, 0 to 1; None if there are no probabilities."""
    calibration: tuple[Bin, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, by class index."""
        return tuple(figures.label for figures in self.classes)

    @property
    def headline(self) -> dict[str, float | None]:
        """The figures that sum up a model, by name."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro.f1,
            "weighted_f1": self.weighted.f1,
            "roc_auc": self.roc_auc,
            "calibration_error": self.calibration_error,
        }


class Curve(NamedTuple):
    """A receiver operating characteristic: both rates, with a point for each distinct score, the highest score first."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]


class McNemar(NamedTuple):
    """McNemar's test whether two models are right equally often on the same rows."""

    only_first: int
    """Number of rows that only the first model has right."""
    only_second: int
    p_value: float


def evaluate(outcomes: Outcomes) -> Evaluation:
    """Return all figures of the outcomes.

    Raises:
        InputError: there is no row.
    """
    rows = len(outcomes.truth)
    if not rows:
        raise InputError("there is no row to evaluate")
    confusion = _confusion(outcomes)
    support, scores = confusion.sum(axis=1), _scores(confusion)
    occurs = support + confusion.sum(axis=0) > 0
    areas = [_area_against_rest(outcomes, index) for index in range(len(outcomes.labels))]
    figures = zip(outcomes.labels, scores, support.tolist(), areas, strict=True)
    undefined = _why_undefined(outcomes, support)
    calibration = _calibration(outcomes)
    return Evaluation(
        rows=rows,
        accuracy=float(confusion.trace() / rows),
        classes=tuple(ClassFigures(label, Scores(*row.tolist()), count, area) for label, row, count, area in figures),
        macro=Scores(*scores[occurs].mean(axis=0).tolist()),
        weighted=Scores(*(support @ scores / rows).tolist()),
        confusion=tuple(map(tuple, confusion.tolist())),
        roc_auc=None if undefined else _macro_area(areas),
        roc_auc_undefined=undefined,
        calibration_error=_calibration_error(calibration, rows),
        calibration=calibration,
    )


def roc_curve(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Curve:
    """Return the curve of scores [rows] for telling positive rows from the others; there is at least one of each.

    Rows of equal score make one step: algorithm 1 of Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27,
    2006.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.concatenate(([0], np.cumsum(positive[order])[ends]))
    misses = np.concatenate(([0], ends + 1)) - hits
    return Curve(misses / misses[-1], hits / hits[-1])


def mcnemar(truth: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]) -> McNemar:
    """Compare two models' class indices on the same rows, all [rows].

    McNemar, Note on the sampling error of the difference between correlated proportions or percentages, Psychometrika 12, 1947.
    The p-value is exact: twice the smaller tail of a binomial distribution with probability 1/2 over the rows that only one
    model has right.
    """
    only_first = int(np.count_nonzero((first == truth) & (second != truth)))
    only_second = int(np.count_nonzero((first != truth) & (second == truth)))
    tail = _binomial_tail(min(only_first, only_second), only_first + only_second)
    return McNemar(only_first, only_second, min(1.0, 2 * tail))


def _binomial_tail(most: int, tosses: int) -> float:
    """Return the probability of at most `most` heads, which are no more than half of the tosses."""
    logarithm = math.lgamma(tosses + 1) - math.lgamma(most + 1) - math.lgamma(tosses - most + 1) - tosses * math.log(2)
    term = tail = math.exp(logarithm)
    for heads in range(most, 0, -1):
        term *= heads / (tosses - heads + 1)
        tail += term
        if term < tail * 1e-17:  # the following terms are smaller still
            break
    return tail


def _confusion(outcomes: Outcomes) -> NDArray[np.int64]:
    """Return rows by true class and predicted class, int64 [classes, classes]."""
    classes = len(outcomes.labels)
    cells = np.bincount(outcomes.truth * classes + outcomes.predicted, minlength=classes**2)
    counts: NDArray[np.int64] = cells.reshape(classes, classes).astype(np.int64)
    return counts


def _scores(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return precision, recall and F1 of each class, float64 [classes, 3]."""
    right, support, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    numerators = np.stack((right, right, 2 * right), axis=1).astype(np.float64)
    denominators = np.stack((predicted, support, support + predicted), axis=1)
    scores: NDArray[np.float64] = np.divide(numerators, denominators, out=np.zeros_like(numerators), where=denominators > 0)
    return scores


def _area_against_rest(outcomes: Outcomes, index: int) -> float | None:
    """Return the area under one class's ROC curve, or None if it is undefined."""
    positive = outcomes.truth == index
    if outcomes.probabilities is None or positive.all() or not positive.any():
        return None
    curve = roc_curve(positive, outcomes.probabilities[:, index])
    return float(np.trapezoid(curve.true_positive_rate, curve.false_positive_rate))


def _macro_area(areas: Sequence[float | None]) -> float | None:
    known = [area for area in areas if area is not None]
    return known[1] if len(known) == _TWO else sum(known) / len(known)


def _why_undefined(outcomes: Outcomes, support: NDArray[np.int64]) -> str | None:
    """Return the reason why there is no ROC AUC over all classes, or None if there is one."""
    if outcomes.probabilities is None:
        return "there are no probabilities"
    if support.max() == len(outcomes.truth):
        return f"every row is labelled {outcomes.labels[int(support.argmax())]}"
    absent = [label for label, count in zip(outcomes.labels, support, strict=True) if not count]
    return f"no row is labelled {' or '.join(absent)}" if absent else None


def _calibration(outcomes: Outcomes) -> tuple[Bin, ...]:
    """Return bins of equal width over the probability of the predicted label; empty if there are no probabilities."""
    if outcomes.probabilities is None:
        return ()
    confidence = np.take_along_axis(outcomes.probabilities, outcomes.predicted[:, None], axis=1)[:, 0]
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
    which = np.searchsorted(edges[1:-1], confidence)
    counts, confidences, right = (
        np.bincount(which, weights, CALIBRATION_BINS).tolist()
        for weights in (None, confidence, (outcomes.truth == outcomes.predicted).astype(np.float64))
    )
    return tuple(
        Bin(low, high, int(rows), *((total / rows, hits / rows) if rows else (None, None)))
        for low, high, rows, total, hits in zip(
            edges[:-1].tolist(), edges[1:].tolist(), counts, confidences, right, strict=True
        )
    )


def _calibration_error(bins: Sequence[Bin], rows: int) -> float | None:
    """Return the mean gap between confidence and accuracy over rows.

    Guo et al., On calibration of modern neural networks, ICML 2017, equation 3: 15 bins of equal width.
    """
    gaps = [
        part.rows * abs(part.accuracy - part.confidence)
        for part in bins
        if part.accuracy is not None and part.confidence is not None
    ]
    return sum(gaps) / rows if bins else None
