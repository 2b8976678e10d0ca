"""The figures against scikit-learn's and scipy's, which are no part of the runtime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from sentiment_edge import InputError
from sentiment_edge.metrics import CALIBRATION_BINS, Outcomes, evaluate, mcnemar, roc_curve

NAMES = ("very negative", "negative", "neutral", "positive", "very positive")


@st.composite
def outcomes(draw: st.DrawFn) -> Outcomes:
    """Some rows of 2 to 5 classes, with ties among the probabilities; often of some classes there is no row."""
    classes, rows = draw(st.integers(2, 5)), draw(st.integers(1, 40))
    index = st.integers(0, classes - 1)
    truth, predicted = (draw(st.lists(index, min_size=rows, max_size=rows)) for _ in range(2))
    parts = draw(st.lists(st.lists(st.integers(1, 9), min_size=classes, max_size=classes), min_size=rows, max_size=rows))
    weights = np.array(parts, dtype=np.float64)
    shares = weights / weights.sum(axis=1, keepdims=True)
    return Outcomes(NAMES[:classes], np.array(truth), np.array(predicted), shares)


@given(outcomes())
def test_accuracy_and_the_classes_are_scikit_learns(rows: Outcomes) -> None:
    figures = evaluate(rows)
    everything = range(len(rows.labels))
    assert figures.accuracy == pytest.approx(metrics.accuracy_score(rows.truth, rows.predicted), abs=1e-12)
    expected = metrics.precision_recall_fscore_support(rows.truth, rows.predicted, labels=everything, zero_division=0)
    ours = np.array([[*each.scores, each.support] for each in figures.classes])
    assert ours == pytest.approx(np.stack(expected, axis=1), abs=1e-12)
    assert np.array_equal(figures.confusion, metrics.confusion_matrix(rows.truth, rows.predicted, labels=everything))


@pytest.mark.parametrize("average", ["macro", "weighted"])
@given(rows=outcomes())
def test_averages_are_scikit_learns(rows: Outcomes, average: str) -> None:
    expected = metrics.precision_recall_fscore_support(rows.truth, rows.predicted, average=average, zero_division=0)
    assert tuple(getattr(evaluate(rows), average)) == pytest.approx(expected[:3], abs=1e-12)


@given(outcomes())
def test_roc_auc_is_scikit_learns(rows: Outcomes) -> None:
    figures = evaluate(rows)
    assert rows.probabilities is not None
    for index, each in enumerate(figures.classes):
        if 0 < each.support < figures.rows:
            expected = metrics.roc_auc_score(rows.truth == index, rows.probabilities[:, index])
            assert each.roc_auc == pytest.approx(expected, abs=1e-12)
        else:
            assert each.roc_auc is None
    if all(each.support for each in figures.classes):
        scores = rows.probabilities[:, 1] if len(rows.labels) == 2 else rows.probabilities
        expected = metrics.roc_auc_score(rows.truth, scores, multi_class="ovr", average="macro")
        assert figures.roc_auc == pytest.approx(expected, abs=1e-12)
        assert figures.roc_auc_undefined is None
    else:
        assert figures.roc_auc is None
        assert figures.roc_auc_undefined is not None


@given(outcomes(), st.integers(0, 1))
def test_the_curve_is_scikit_learns(rows: Outcomes, index: int) -> None:
    positive = rows.truth == index
    assume(positive.any() and not positive.all())
    assert rows.probabilities is not None
    scores = rows.probabilities[:, index]
    expected = metrics.roc_curve(positive, scores, drop_intermediate=False)
    assert np.stack(roc_curve(positive, scores)) == pytest.approx(np.stack(expected[:2]), abs=1e-12)


@given(outcomes())
def test_the_calibration_error_is_that_of_scikit_learns_bins(rows: Outcomes) -> None:
    assert rows.probabilities is not None
    confidence = rows.probabilities[np.arange(len(rows.truth)), rows.predicted]
    right, sure = calibration_curve(rows.truth == rows.predicted, confidence, n_bins=CALIBRATION_BINS)
    figures = evaluate(rows)
    filled = [part for part in figures.calibration if part.rows]
    assert [part.accuracy for part in filled] == pytest.approx(right, abs=1e-12)
    assert [part.confidence for part in filled] == pytest.approx(sure, abs=1e-12)
    gaps = [part.rows * abs(share - mean) for part, share, mean in zip(filled, right, sure, strict=True)]
    assert figures.calibration_error == pytest.approx(sum(gaps) / figures.rows, abs=1e-12)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemars_test_is_scipys_binomial_one(first: int, second: int) -> None:
    ones, zeros = np.ones(first + second, np.int64), np.zeros(first + second, np.int64)
    ones[:first] = 0
    test = mcnemar(zeros, ones, 1 - ones)
    assert (test.only_first, test.only_second) == (first, second)
    expected = binomtest(first, first + second).pvalue if first + second else 1
    assert test.p_value == pytest.approx(expected, rel=1e-9, abs=1e-290)  # scipy makes smaller ones 0


def test_mcnemars_test_of_a_million_rows() -> None:
    truth = np.zeros(1_000_000, np.int64)
    second = (np.arange(1_000_000) < 500_800).astype(np.int64)
    assert mcnemar(truth, 1 - second, second).p_value == pytest.approx(binomtest(500_800, 1_000_000).pvalue, rel=1e-6)


def test_without_probabilities_the_rest_is_still_known() -> None:
    figures = evaluate(Outcomes(("bad", "good"), np.array([0, 1, 1]), np.array([0, 1, 0])))
    assert figures.accuracy == pytest.approx(2 / 3)
    assert (figures.roc_auc, figures.calibration_error, figures.calibration) == (None, None, ())
    assert figures.roc_auc_undefined == "there are no probabilities"


def test_why_the_area_is_undefined_is_said() -> None:
    shares = np.full((2, 3), 1 / 3)
    one = evaluate(Outcomes(NAMES[:3], np.array([1, 1]), np.array([1, 1]), shares))
    assert one.roc_auc_undefined == "every row is labelled negative"
    two = evaluate(Outcomes(NAMES[:3], np.array([0, 1]), np.array([1, 1]), shares))
    assert two.roc_auc_undefined == "no row is labelled neutral"
    assert [each.roc_auc for each in two.classes] == [0.5, 0.5, None]


def test_no_rows_are_refused() -> None:
    with pytest.raises(InputError, match="no row"):
        evaluate(Outcomes(("bad", "good"), np.array([], np.int64), np.array([], np.int64)))
