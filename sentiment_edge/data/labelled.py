"""Texts with their labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge.data.columns import BadRows, find_column
from sentiment_edge.data.table import open_table
from sentiment_edge.data.tables.names import LABEL, TEXT
from sentiment_edge.data.tables.record import InputFormat, ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge_runtimes.progress import Progress


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns of a file to read, and how to treat its labels and its faulty rows."""

    text_column: str | None = None
    """Its name; None for the first column of a usual name. The same holds for the other two."""
    label_column: str | None = None
    prediction_column: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    """The model's label for each of the file's, as `labels.parse_map` returns it."""
    skip_bad: bool = False
    """Leave out rows that cannot be used; by default they are an error."""
    input_format: InputFormat | None = None
    """By default found out; so is the encoding."""
    encoding: str | None = None

    @property
    def read_options(self) -> ReadOptions:
        """Return what it says of the file as a whole.

        Raises:
            OptionError: the format is not one that is read here.
        """
        names = (self.text_column, self.label_column, self.prediction_column)
        return ReadOptions(self.input_format, self.encoding, names=frozenset(filter(None, names)))


class LabelledText(NamedTuple):
    """One row of labelled data."""

    line: int
    """Number of the line that it starts at, from 1."""
    text: str
    label: str
    """As in the file, without spaces around it."""


def read_labelled(path: Path, selection: Selection, progress: Progress) -> list[LabelledText]:
    """Read labelled texts from a table; a row without a text or a label cannot be used.

    Args:
        path: the file, in any format and encoding that `open_table` reads; `-` for stdin.
        selection: the columns.
        progress: hears what was chosen and left out.

    Raises:
        InputError: the file, a column or a row of it cannot be used.
    """
    rows, bad = [], BadRows()
    names: dict[str, str] = {}
    with open_table(path, selection.read_options, progress) as table:
        text_at = find_column(table, "text", selection.text_column, TEXT, progress)
        label_at = find_column(table, "label", selection.label_column, LABEL, progress)
        for record in bad.without(table, text=text_at, label=label_at):
            label = record.cells[label_at].strip()
            label = names.setdefault(label, label)  # equal labels share one string
            rows.append(LabelledText(record.line, record.cells[text_at], label))
    bad.report(table, progress, skip=selection.skip_bad)
    return rows
