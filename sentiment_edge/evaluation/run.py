"""Evaluation of one bundle or two on labelled data, or of predictions from a file."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge.data.labelled import LabelledText, Selection, read_labelled
from sentiment_edge.data.labels import match_labels
from sentiment_edge.data.predictions import read_predictions
from sentiment_edge.evaluation.result import Comparison, EvaluationResult, EvaluationRun, Flip
from sentiment_edge.metrics import Outcomes, evaluate, mcnemar
from sentiment_edge_runtimes.engines.sessions import MANY
from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.progress import Progress


class _Data(NamedTuple):
    labels: tuple[str, ...]
    """The classifier's labels."""
    rows: list[LabelledText]
    truth: NDArray[np.int64]
    """The class index of each row."""


class _Answers(NamedTuple):
    name: str
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    failed: dict[int, str]
    """By row, the reason why its text was not answered."""
    lines_per_second: float


def evaluate_predictions(path: Path, selection: Selection, progress: Progress) -> EvaluationResult:
    """Evaluate predictions from a file.

    Raises:
        InputError: the file cannot be used, or has no row.
    """
    outcomes = read_predictions(path, selection, progress)
    if not len(outcomes.truth):
        raise InputError(f"{path}: no row to evaluate; give labelled rows, one a line")
    return EvaluationResult(path, EvaluationRun(str(path), outcomes, evaluate(outcomes)))


def evaluate_classifier(
    classifier: Classifier, path: Path, selection: Selection, progress: Progress, *, other: Classifier | None = None
) -> EvaluationResult:
    """Evaluate a classifier on labelled data, and compare another with it if one is given.

    Raises:
        InputError: the file cannot be used, has no row, or has labels that are not the classifier's; a text cannot be answered
            and is not to be skipped; the two classifiers have different labels.
        EngineError: an engine failed.
    """
    names = None if other is None else _same_labels(classifier, other)
    data = _read(path, classifier.labels, selection, progress)
    answers = [_label(classifier, classifier.labels, data, progress)]
    if other is not None and names is not None:
        answers.append(_label(other, names, data, progress))
    rows = _answered(path, data, answers, progress, skip=selection.skip_bad)
    data = _Data(data.labels, [data.rows[row] for row in rows], data.truth[rows])
    run, *others = (_evaluate(data, each, rows) for each in answers)
    return EvaluationResult(path, run, _compare(data, run, others[0]) if others else None)


def _read(path: Path, labels: tuple[str, ...], selection: Selection, progress: Progress) -> _Data:
    """Return the rows that the mapping does not leave out."""
    rows = read_labelled(path, selection, progress)
    meanings = match_labels(Counter(row.label for row in rows), labels, selection.mapping, progress)
    kept = [row for row in rows if meanings[row.label] is not None]
    if len(kept) < len(rows):
        progress.remark(f"{len(rows) - len(kept)} rows left out by `mapping`")
    if not kept:
        raise InputError(f"{path}: no row to evaluate; give labelled rows, one a line")
    return _Data(labels, kept, np.array([meanings[row.label] for row in kept], dtype=np.int64))


def _label(classifier: Classifier, names: Sequence[str], data: _Data, progress: Progress) -> _Answers:
    """Label the texts and measure the speed; `names` are the classifier's labels in the order of the data's."""
    bundle = classifier.bundle
    if bundle.manifest.activation == "sigmoid":
        progress.remark(f"{bundle.root}: its classes do not exclude each other; the most likely one counts as its answer")
    first = data.rows[: MANY * usable_cpus()]
    classifier([row.text for row in first], on_error="return")  # the engine starts at first use: that is not part of its speed
    probabilities = np.zeros((len(data.rows), len(names)))
    predicted = np.zeros(len(data.rows), dtype=np.int64)
    classes = {name: index for index, name in enumerate(names)}
    failed: dict[int, str] = {}
    truncated, start = 0, time.perf_counter()
    for row, prediction in enumerate(classifier.stream([each.text for each in data.rows], on_error="return")):
        progress.advance(1)
        if prediction.label is None:
            failed[row] = prediction.error
            continue
        probabilities[row] = [prediction.scores[name] for name in names]
        predicted[row] = classes[prediction.label]
        truncated += prediction.truncated
    speed = len(data.rows) / (time.perf_counter() - start)
    if truncated:
        progress.remark(f"{truncated} texts cut to the {bundle.manifest.max_length} tokens that {bundle.root} reads")
    return _Answers(str(bundle.root), predicted, probabilities, failed, speed)


def _answered(path: Path, data: _Data, answers: Sequence[_Answers], progress: Progress, *, skip: bool) -> NDArray[np.int64]:
    """Return the rows whose texts all classifiers answered.

    Raises:
        InputError: there are others, and they are not to be skipped; or there is none.
    """
    failed = {row: problem for each in reversed(answers) for row, problem in each.failed.items()}
    if failed:
        first = min(failed)
        named = f"{path}: {len(failed)} texts got no label; the first is line {data.rows[first].line}: {failed[first]}"
        if not skip or len(failed) == len(data.rows):
            raise InputError(f"{named}; correct them, or leave them out by `skip_bad`")
        progress.remark(f"{named}; left out")
    return np.setdiff1d(np.arange(len(data.rows)), [*failed])


def _evaluate(data: _Data, answers: _Answers, rows: NDArray[np.int64]) -> EvaluationRun:
    """Evaluate the answers of these rows, which are all that the data has."""
    outcomes = Outcomes(data.labels, data.truth, answers.predicted[rows], answers.probabilities[rows])
    return EvaluationRun(answers.name, outcomes, evaluate(outcomes), answers.lines_per_second)


def _compare(data: _Data, first: EvaluationRun, second: EvaluationRun) -> Comparison:
    before, after = first.outcomes.predicted, second.outcomes.predicted
    flips = tuple(
        Flip(data.rows[row].line, data.rows[row].text, *(data.labels[index[row]] for index in (data.truth, before, after)))
        for row in np.flatnonzero(before != after).tolist()
    )
    return Comparison(second, _differences(first, second), mcnemar(data.truth, before, after), flips)


def _same_labels(first: Classifier, second: Classifier) -> list[str]:
    """Return the second's labels in the order of the first's, matched in any case."""
    names = {label.casefold(): label for label in second.labels}
    if len(first.labels) != len(second.labels) or names.keys() != {label.casefold() for label in first.labels}:
        raise InputError(
            f"{second.bundle.root} cannot be compared: its labels are {', '.join(second.labels)}, "
            f"those of {first.bundle.root} {', '.join(first.labels)}"
        )
    return [names[label.casefold()] for label in first.labels]


def _differences(first: EvaluationRun, second: EvaluationRun) -> dict[str, float | None]:
    pairs = zip(first.figures.items(), second.figures.values(), strict=True)
    return {name: None if before is None or after is None else after - before for (name, before), after in pairs}
