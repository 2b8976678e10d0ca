"""Predictions of any model, read from a file to be evaluated without the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge.data.columns import BadRows, find_column, find_probabilities
from sentiment_edge.data.table import open_table
from sentiment_edge.data.tables.names import LABEL, PREDICTION
from sentiment_edge.metrics import Outcomes
from sentiment_edge.render.text import listed
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentiment_edge.data.labelled import Selection
    from sentiment_edge.data.tables.record import Table
    from sentiment_edge_runtimes.progress import Progress


class _Row(NamedTuple):
    line: int
    truth: str
    """The label after the mapping."""
    predicted: str
    cells: Sequence[str]


def read_predictions(path: Path, selection: Selection, progress: Progress) -> Outcomes:
    """Read labels and predictions, and probabilities if every class has a column of them.

    The classes are the labels and predictions that occur, in any case: in numeric order if all are numbers, otherwise in
    alphabetic order. A class's probabilities are in a column of its name, or of its name after `probability_`, `prob_`,
    `proba_`, `p_` or `score_`.

    Args:
        path: a file with a column of labels and one of predictions, in any format that `open_table` reads.
        selection: the columns, and the mapping of labels; predictions are taken as they are.
        progress: hears what was chosen and left out.

    Raises:
        InputError: the file, a column or a row of it cannot be used, or labels and predictions share no name.
    """
    bad = BadRows()
    with open_table(path, selection.read_options, progress) as table:
        rows = _read_rows(table, selection, bad, progress)
    labels = _classes(path, rows)
    columns = _probability_columns(table, labels, progress)
    kept, probabilities = [], []
    for row in rows:
        try:
            probabilities.append([_probability(row.cells[column]) for column in columns])
        except ValueError:
            bad.add(row.line, "no probability from 0 to 1")
        else:
            kept.append(row)
    bad.report(table, progress, skip=selection.skip_bad)
    index = {label.casefold(): position for position, label in enumerate(labels)}
    return Outcomes(
        labels,
        np.array([index[row.truth.casefold()] for row in kept], dtype=np.int64),
        np.array([index[row.predicted.casefold()] for row in kept], dtype=np.int64),
        np.array(probabilities, dtype=np.float64) if columns else None,
    )


def _read_rows(table: Table, selection: Selection, bad: BadRows, progress: Progress) -> list[_Row]:
    """Return the rows that have a label and a prediction, except those that the mapping leaves out."""
    label_at = find_column(table, "label", selection.label_column, LABEL, progress)
    predicted_at = find_column(table, "prediction", selection.prediction_column, PREDICTION, progress)
    rows, left_out = [], 0
    for record in bad.without(table, label=label_at, prediction=predicted_at):
        label = record.cells[label_at].strip()
        label = selection.mapping.get(label.casefold(), label)
        if label:
            rows.append(_Row(record.line, label, record.cells[predicted_at].strip(), record.cells))
        left_out += not label
    if left_out:
        progress.remark(f"{left_out} rows left out by `mapping`")
    return rows


def _classes(path: Path, rows: Sequence[_Row]) -> tuple[str, ...]:
    """Return the names that occur as labels or predictions."""
    truth = {row.truth.casefold(): row.truth for row in rows}
    predicted = {row.predicted.casefold(): row.predicted for row in rows}
    if min(len(truth), len(predicted)) > 1 and not truth.keys() & predicted.keys():
        raise InputError(
            f"{path}: none of the labels ({listed(sorted(truth.values()))}) is among the predictions "
            f"({listed(sorted(predicted.values()))}); match them by `mapping` LABEL=PREDICTION"
        )
    names = (truth | predicted).values()
    return tuple(sorted(names, key=int if all(name.isdecimal() for name in names) else str))


def _probability_columns(table: Table, labels: Sequence[str], progress: Progress) -> list[int]:
    """Return the position of each class's column of probabilities; nothing if a class has none."""
    positions = find_probabilities(table.columns, labels)
    absent = [label for label in labels if label not in positions]
    if positions and absent:
        progress.remark(f"{table.name}: no column of probabilities for {listed(absent)}, so the others are not read")
    return [] if absent else [positions[label] for label in labels]


def _probability(cell: str) -> float:
    value = float(cell)
    if not 0 <= value <= 1 or math.isnan(value):
        raise ValueError(cell)
    return value
