"""Texts and what they are said to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge.data.columns import LABEL, TEXT, BadRows, find_column
from sentiment_edge.data.table import open_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read of a file."""

    text_column: str | None = None
    """None for the first known one; so the others."""
    label_column: str | None = None
    prediction_column: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    """What the file's labels stand for, as `labels.parse_map` returns it."""
    skip_bad: bool = False
    """Whether rows that do not parse are left out; else they are an error."""


class LabelledText(NamedTuple):
    """One row."""

    line: int
    """Where it starts, from 1."""
    text: str
    label: str
    """As the file has it, without space around it."""


def read_labelled(path: Path, selection: Selection, say: Callable[[str], None]) -> list[LabelledText]:
    """Read labelled texts from tsv, csv or jsonl; a row without a text or a label does not parse.

    Args:
        path: the file, in UTF-8.
        selection: the columns.
        say: told of what was chosen and left out.

    Raises:
        InputError: the file, a column or a row of it cannot be used.
    """
    rows, bad = [], BadRows()
    names: dict[str, str] = {}
    with open_table(path) as table:
        text_at = find_column(table, "text", selection.text_column, TEXT, say)
        label_at = find_column(table, "label", selection.label_column, LABEL, say)
        for record in bad.without(table, text=text_at, label=label_at):
            label = record.cells[label_at].strip()
            rows.append(
                LabelledText(record.line, record.cells[text_at], names.setdefault(label, label))
            )  # a label is kept once
    bad.settle(table, selection.skip_bad, say)
    return rows
