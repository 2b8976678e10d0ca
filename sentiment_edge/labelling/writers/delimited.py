"""Labelled tables as csv and tsv: a header, the columns as they were, label and score."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from sentiment_edge.data.tables.record import JsonObject
from sentiment_edge.labelling.writers.escapes import as_spaces
from sentiment_edge.labelling.writers.lines import label_and_score
from sentiment_edge.labelling.writers.names import names_beside, taken
from sentiment_edge.labelling.writers.values import EncodingCheck, cells
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from sentiment_edge.data.tables.record import Record, Table
    from sentiment_edge.labelling.row import LabelledRow

_ADDED = ("label", "score")
_SEPARATORS = {"csv": ",", "tsv": "\t"}


class Delimited:
    """Writes csv or tsv; where the input is such too, with its separator, its line ends and what stands before its header."""

    def __init__(self, form: str, table: Table, put: Callable[[str], None]) -> None:
        own = table.format == form
        self._columns, self._known = table.columns, {*table.columns}
        self._preface = table.preface if own else ""
        self._put = put
        self._names = names_beside(table.columns)[:2]
        self._quoted = not own or table.quoted
        records = _Records(put, table.line_end if table.format in {"csv", "tsv"} else "\n")
        self._row = _row_writer(records, table.separator if own else _SEPARATORS[form], quoted=self._quoted)
        self._check = EncodingCheck()
        self._more = 0

    def begin(self, *, fresh: bool) -> None:
        """Write the header."""
        if fresh:
            if self._preface:
                self._put(self._preface)
            self._row([*self._columns, *self._names])

    def problem(self, record: Record) -> str:
        """Return the reason why a row cannot be written, if so."""
        return self._check.problem(record)

    def write(self, table: Table, rows: Sequence[LabelledRow]) -> None:
        """Write a record for each row."""
        for row, values in zip(rows, cells(table, rows), strict=True):
            original = row.record.original
            self._more += isinstance(original, JsonObject) and not original.value.keys() <= self._known
            label, score = label_and_score(row.answer)
            try:
                self._row([*values, label if self._quoted else as_spaces(label), score])
            except csv.Error as error:
                raise InputError(
                    f"{table.name}: {table.unit} {row.record.line} has a tab or a line end in a cell, "
                    "and the tsv before it has no quotes for that; label it by itself"
                ) from error

    def end(self) -> None:
        """Write nothing."""

    def remarks(self) -> Iterator[str]:
        """Yield the names that had to be changed, and the number of objects of which not all is in the output."""
        yield from taken(self._names, _ADDED)
        if self._more:
            yield f"{self._more} objects had more keys than the first, for which there is no column; `format` jsonl keeps them"


class _Records:
    """Takes the records of the csv module, which quotes every kind of line end only where it ends rows by both."""

    def __init__(self, put: Callable[[str], None], line_end: str) -> None:
        self._put = put
        self._line_end = line_end

    def write(self, record: str) -> None:
        self._put(record.removesuffix("\r\n") + self._line_end)


def _row_writer(records: _Records, separator: str, *, quoted: bool) -> Callable[[Sequence[str | None]], Any]:
    if quoted:
        return csv.writer(records, delimiter=separator).writerow
    return csv.writer(records, delimiter=separator, quoting=csv.QUOTE_NONE, quotechar=None).writerow
