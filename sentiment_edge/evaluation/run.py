"""A bundle, or two, run over labelled data; or the predictions that were stored."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge.data.labelled import LabelledText, Selection, read_labelled
from sentiment_edge.data.labels import resolve
from sentiment_edge.data.predictions import read_predictions
from sentiment_edge.metrics import Evaluation, McNemar, Outcomes, evaluate, mcnemar
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.classifier import Classifier


@dataclass(frozen=True, slots=True)
class Run:
    """One model's answers, and how good they are."""

    name: str
    """The bundle's folder, or the file of the predictions."""
    outcomes: Outcomes
    evaluation: Evaluation
    lines_per_second: float | None = None
    """None for stored predictions."""

    @property
    def figures(self) -> dict[str, float | None]:
        """What sums up the run, by name."""
        return {**self.evaluation.headline, "lines_per_second": self.lines_per_second}


class Flip(NamedTuple):
    """A text that two models label differently."""

    line: int
    text: str
    label: str
    """What it is."""
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Another model on the same rows."""

    other: Run
    differences: dict[str, float | None]
    """By the names of `Run.figures`: the other's less the first's."""
    mcnemar: McNemar
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """All that an evaluation found."""

    data: Path
    run: Run
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who wants to hear of it."""

    say: Callable[[str], None]
    """Told in a line of what was chosen and left out."""
    done: Callable[[int], None]
    """Told of how many lines were labelled since."""


class _Data(NamedTuple):
    labels: tuple[str, ...]
    """The classifier's."""
    rows: list[LabelledText]
    truth: NDArray[np.int64]
    """The class index of each row."""


def evaluate_stored(path: Path, selection: Selection, listener: Listener) -> Result:
    """Evaluate predictions from a file.

    Raises:
        InputError: the file cannot be used, or has no row.
    """
    outcomes = read_predictions(path, selection, listener.say)
    if not len(outcomes.truth):
        raise InputError(f"{path}: no row to evaluate; give labelled rows, one a line")
    return Result(path, Run(str(path), outcomes, evaluate(outcomes)))


def evaluate_classifier(
    classifier: Classifier, path: Path, selection: Selection, listener: Listener, *, other: Classifier | None = None
) -> Result:
    """Evaluate a classifier on labelled data, and compare another with it.

    Raises:
        InputError: the file cannot be used, has no row, or its labels are not the classifier's; the two have different labels.
        EngineError: an engine failed.
    """
    names = None if other is None else _same_labels(classifier, other)
    data = _read(path, classifier.labels, selection, listener.say)
    run = _run(classifier, classifier.labels, data, listener)
    if other is None or names is None:
        return Result(path, run)
    return Result(path, run, _compare(data, run, _run(other, names, data, listener)))


def _read(path: Path, labels: tuple[str, ...], selection: Selection, say: Callable[[str], None]) -> _Data:
    """Return the rows that the mapping leaves."""
    rows = read_labelled(path, selection, say)
    meanings = resolve(Counter(row.label for row in rows), labels, selection.mapping, say)
    kept = [row for row in rows if meanings[row.label] is not None]
    if len(kept) < len(rows):
        say(f"{len(rows) - len(kept)} rows left out by --map")
    if not kept:
        raise InputError(f"{path}: no row to evaluate; give labelled rows, one a line")
    return _Data(labels, kept, np.array([meanings[row.label] for row in kept], dtype=np.int64))


def _run(classifier: Classifier, names: Sequence[str], data: _Data, listener: Listener) -> Run:
    """Label the texts, and time it; `names` are the classifier's labels in the order of the data's."""
    bundle = classifier.bundle
    if bundle.manifest.activation == "sigmoid":
        listener.say(f"{bundle.root}: its classes do not exclude each other; the likeliest one counts as its answer")
    classifier(data.rows[0].text)  # the engine starts at first use, which is no part of its speed
    probabilities = np.empty((len(data.rows), len(names)))
    predicted = np.empty(len(data.rows), dtype=np.int64)
    classes = {name: index for index, name in enumerate(names)}
    truncated, start = 0, time.perf_counter()
    for row, prediction in enumerate(classifier.stream(each.text for each in data.rows)):
        probabilities[row] = [prediction.scores[name] for name in names]
        predicted[row] = classes[prediction.label]
        truncated += prediction.truncated
        listener.done(1)
    speed = len(data.rows) / (time.perf_counter() - start)
    if truncated:
        listener.say(f"{truncated} texts cut to the {bundle.manifest.max_length} tokens that {bundle.root} reads")
    outcomes = Outcomes(data.labels, data.truth, predicted, probabilities)
    return Run(str(bundle.root), outcomes, evaluate(outcomes), speed)


def _compare(data: _Data, first: Run, second: Run) -> Comparison:
    before, after = first.outcomes.predicted, second.outcomes.predicted
    flips = tuple(
        Flip(data.rows[row].line, data.rows[row].text, *(data.labels[index[row]] for index in (data.truth, before, after)))
        for row in np.flatnonzero(before != after).tolist()
    )
    return Comparison(second, _differences(first, second), mcnemar(data.truth, before, after), flips)


def _same_labels(first: Classifier, second: Classifier) -> list[str]:
    """Return the second's labels in the order of the first's, whatever their case."""
    names = {label.casefold(): label for label in second.labels}
    if len(first.labels) != len(second.labels) or names.keys() != {label.casefold() for label in first.labels}:
        raise InputError(
            f"{second.bundle.root} cannot be compared: its labels are {', '.join(second.labels)}, "
            f"those of {first.bundle.root} {', '.join(first.labels)}"
        )
    return [names[label.casefold()] for label in first.labels]


def _differences(first: Run, second: Run) -> dict[str, float | None]:
    pairs = zip(first.figures.items(), second.figures.values(), strict=True)
    return {name: None if before is None or after is None else after - before for (name, before), after in pairs}
