"""Rows of a table on disk: tsv, csv or jsonl, in UTF-8, each with the number of its first line.

csv follows RFC 4180. In tsv a quotation mark is an ordinary character, as in GLUE, unless every cell that has one is quoted as
in csv, which is how spreadsheets and pandas write tsv.
"""

from __future__ import annotations

import csv
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONGEST_CELL = 2**17
"""Characters, the csv module's own limit on what an unclosed quotation mark takes in; far more than a model reads."""
_LONGEST_LINE = 2**24
"""Bytes of a line that are kept: more than the cells of a row may have."""
_WANTED = "give tsv or csv with a header, or jsonl, an object a line"
_BYTE_ORDER_MARK = "\ufeff"
_UNDECODABLE = re.compile("[\udc80-\udcff]")
"""The characters that the error handler `surrogateescape` puts for bytes that are not UTF-8."""
_QUOTED = re.compile('"(?:[^"]|"")*"')


class Record(NamedTuple):
    """One row of a table."""

    line: int
    """Number of its first line, from 1."""
    cells: list[str]
    """One for each column; none if there is a problem."""
    problem: str = ""
    """The reason why the row cannot be read, if so."""


@dataclass(frozen=True, slots=True)
class Table:
    """An opened table."""

    path: Path
    columns: tuple[str, ...]
    records: Iterator[Record]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a table; the ending of its name tells the format, or the first line if the ending is not a known one.

    Raises:
        InputError: the file is empty, not text, or has no columns.
    """
    with path.open("rb") as file:
        lines = _decode(_lines(file))
        first = next(lines, None)
        if first is None:
            raise InputError(f"{path}: the file is empty; {_WANTED}")
        if _UNDECODABLE.search(first) or "\0" in first:
            raise InputError(f"{path}: not text in UTF-8; {_WANTED}")
        records = _reader(path, first)(chain([first], lines))
        header = next(records, Record(1, []))
        if not header.cells:
            raise InputError(f"{path}: line {header.line} names no columns; {_WANTED}")
        columns = tuple(cell.strip() for cell in header.cells)
        yield Table(path, columns, _checked(records, len(columns)))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines, one that is too long cut short."""
    while line := file.readline(_LONGEST_LINE):
        rest = line
        while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST_LINE)
        yield line


def _decode(lines: Iterator[bytes]) -> Iterator[str]:
    """Yield the lines as text with their line ends; bytes that are not UTF-8 become lone surrogates."""
    for index, line in enumerate(lines):
        text = line.decode("utf-8", "surrogateescape")
        yield text if index else text.removeprefix(_BYTE_ORDER_MARK)


def _reader(path: Path, first: str) -> Callable[[Iterator[str]], Iterator[Record]]:
    """Return the reader of this format; the first record that it yields holds the names of the columns."""
    ending = path.suffix.lower()
    if ending in _READERS:
        return _READERS[ending]
    if first.lstrip()[:1] in {"{", "["}:
        return _read_jsonl
    if "\t" in first:
        return _read_tsv
    if "," in first:
        return _read_csv
    raise InputError(f"{path}: its first line has no tab and no comma; {_WANTED}")


def _checked(records: Iterator[Record], columns: int) -> Iterator[Record]:
    """Yield the rows that are not empty; one that does not fit the header gets a problem."""
    for record in records:
        if record.problem or not record.cells:
            problem = record.problem
        elif any(map(_UNDECODABLE.search, record.cells)):
            problem = "not UTF-8"
        elif len(record.cells) != columns:
            problem = f"{len(record.cells)} columns, where the header has {columns}"
        elif max(map(len, record.cells)) > LONGEST_CELL:
            problem = f"more than {LONGEST_CELL} characters in a cell"
        else:
            problem = ""
        if problem:
            yield Record(record.line, [], problem)
        elif record.cells:
            yield record


def _read_tsv(lines: Iterator[str]) -> Iterator[Record]:
    rows = [line.rstrip("\r\n") for line in lines]
    quotes = [cell for row in rows if '"' in row for cell in row.split("\t") if '"' in cell]
    quoted = all(map(_QUOTED.fullmatch, quotes))
    for number, row in enumerate(rows, start=1):
        cells = row.split("\t") if row else []
        yield Record(number, [_unquoted(cell) for cell in cells] if quoted else cells)


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _read_csv(lines: Iterator[str]) -> Iterator[Record]:
    reader = csv.reader(lines, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            yield Record(start, next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(start, [], f"not csv: {error}")


def _read_jsonl(lines: Iterator[str]) -> Iterator[Record]:
    columns: list[str] = []
    early: list[Record] = []
    for number, line in enumerate(lines, start=1):
        record, problem = _parse(line) if line.strip() else ({}, "")
        if not columns and record:
            columns = list(record)
            yield Record(number, columns)
            yield from early
        row = Record(number, [_cell(record.get(column)) for column in columns] if record else [], problem)
        if columns:
            yield row
        else:
            early.append(row)


def _parse(line: str) -> tuple[dict[str, Any], str]:
    """Return the object on a line, and the problem if there is no object."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}, "not JSON"
    return (value, "") if isinstance(value, dict) and value else ({}, "not a JSON object, or an empty one")


def _cell(value: object) -> str:
    """Return a JSON value as a cell, which is empty for a value that is neither text nor number."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, int | float) else ""


_READERS = {".tsv": _read_tsv, ".csv": _read_csv, ".jsonl": _read_jsonl, ".ndjson": _read_jsonl}
