"""Rows of csv and tsv."""

from __future__ import annotations

import csv
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from sentiment_edge.data.tables.guess import (
    csv_line_end,
    excel_separator,
    guess_separator,
    has_header,
    numbered,
    quoted_as_csv,
    sample_rows,
)
from sentiment_edge.data.tables.record import LONGEST_CELL, WANTED, Record, Table
from sentiment_edge.data.tables.text import BYTE_ORDER_MARK, flaw, not_text
from sentiment_edge.render.text import listed
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.data.tables.record import InputFormat, ReadOptions
    from sentiment_edge.data.tables.text import Text
    from sentiment_edge_runtimes.progress import Progress

_TOO_LONG = f"more than {LONGEST_CELL} characters in a cell"


def open_csv(name: str, text: Text, options: ReadOptions, progress: Progress) -> Table:
    """Open a csv; the separator is the one that its first line names for Excel, or the one by which its rows fit.

    Raises:
        InputError: it has no columns, or whether it has a header cannot be told.
    """
    excel = excel_separator(text.sample)
    text.line_end = csv_line_end(text.sample)
    sample = text.sample[text.sample.find(text.line_end) + 1 :] if excel else text.sample
    separator = excel or guess_separator(sample) or ","
    if separator != "," and not excel:
        shown = "tabs" if separator == "\t" else repr(separator)
        progress.remark(f"{name}: cells taken as separated by {shown}; another is named by a first line such as sep=,")
    lines = text.lines()
    if excel:
        next(lines, "")
    rows = _Rows(name, text, csv.reader(lines, delimiter=separator, strict=True), before=int(bool(excel)))
    table = rows.table("csv", separator, sample_rows(sample, separator), options, progress)
    return replace(table, preface=table.preface + (f"sep={separator}{table.line_end}" if excel else ""))


def open_tsv(name: str, text: Text, options: ReadOptions, progress: Progress) -> Table:
    """Open a tsv, in which a quotation mark is an ordinary character unless every cell that has one is quoted as in csv.

    Raises:
        InputError: it has no columns, or whether it has a header cannot be told.
    """
    end = csv_line_end(text.sample)
    quoted = quoted_as_csv(text.ahead(end), whole=text.can_be_read_twice)
    text.line_end = end if quoted else text.line_end
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    rows = _Rows(name, text, csv.reader(text.lines(), delimiter="\t", quoting=quoting, strict=True))
    table = rows.table("tsv", "\t", sample_rows(text.sample, "\t", quoted=quoted), options, progress)
    return replace(table, quoted=quoted)


class _Rows:
    """Rows that the csv module reads, with the number of the line that each starts at."""

    def __init__(self, name: str, text: Text, reader: Any, before: int = 0) -> None:  # noqa: ANN401 - the csv module's class has no name
        csv.field_size_limit(LONGEST_CELL)
        self._name = name
        self._text = text
        self._reader = reader
        self._before = before

    def table(
        self, form: InputFormat, separator: str, sample: list[list[str]], options: ReadOptions, progress: Progress
    ) -> Table:
        """Return the table; its columns are named by the first row or, where that is no header, numbered."""
        name, text = self._name, self._text
        header = not sample or has_header(name, sample, options.names)
        columns = self._header() if header else numbered(len(sample[0]))
        if not header:
            progress.remark(f"{name}: no header, as its first line is data; its columns are {listed(columns)}")
        records = self._records(len(columns), "the header has" if header else "the first has")
        sample = sample[int(header) :]
        table = Table(name, form, columns, records, separator, header=header, encoding=text.encoding, sample=sample)
        line_end = "\r\n" if text.line_end == "\n" and _ends_with_cr(text.sample) else text.line_end
        return replace(table, line_end=line_end, preface=BYTE_ORDER_MARK * (text.marked or not text.is_utf8))

    def _header(self) -> tuple[str, ...]:
        cells: list[str] = []
        with suppress(csv.Error):
            cells = next(filter(None, self._reader), [])
        if any(flaw(cell, self._text.encoding) for cell in cells):
            raise not_text(self._name, self._text)
        if not any(cell.strip() for cell in cells):
            raise InputError(f"{self._name}: line {max(self._reader.line_num, 1)} names no columns; {WANTED}")
        return tuple(cell.strip() for cell in cells)

    def _records(self, columns: int, wanted: str) -> Iterator[Record]:
        """Yield the rows that are not empty; one that does not fit the columns gets a problem."""
        reader, text, before = self._reader, self._text, self._before + 1
        start = reader.line_num + before
        while True:
            try:
                for cells in reader:
                    if len(cells) == columns and not text.faulty:
                        yield Record(start, cells)
                    elif cells:
                        problem = self._flaw(cells) or _misfit(cells, columns, wanted)
                        yield Record(start, [] if problem else cells, problem)
                    start = reader.line_num + before
            except csv.Error as error:
                yield Record(start, [], _TOO_LONG if "field limit" in str(error) else f"not csv: {error}")
                start = reader.line_num + before
            else:
                return

    def _flaw(self, cells: Sequence[str]) -> str:
        return next(filter(None, (flaw(cell, self._text.encoding) for cell in cells)), "")


def _ends_with_cr(sample: str) -> bool:
    """Whether the first line ends as on Windows."""
    return sample.partition("\n")[0].endswith("\r")


def _misfit(cells: Sequence[str], columns: int, wanted: str) -> str:
    return "" if len(cells) == columns else f"{len(cells)} columns, where {wanted} {columns}"
