"""Guesses from the beginning of a file: its format, what separates its cells, whether its first row is a header."""

from __future__ import annotations

import csv
import json
import re
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Literal

from sentiment_edge.data.tables.names import USUAL
from sentiment_edge.data.tables.record import LONGEST_CELL, WANTED, by_ending
from sentiment_edge.data.tables.text import split
from sentiment_edge.render.text import listed
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sentiment_edge.data.tables.record import InputFormat

_SEPARATORS = (",", ";", "\t", "|")
"""Of several that fit as well, the first is taken."""
_ROWS = 100
_QUOTED = re.compile('"(?:[^"]|"")*(?:"|$)')
_EXCEL = re.compile(r'"?sep=([^\w"\r\n])"?(?:\r\n|\n|\r|$)', re.IGNORECASE)
"""The line that tells Excel the separator."""
_QUOTED_ROW = re.compile(r'(?:"(?:[^"]|"")*"|[^"\t]*)(?:\t(?:"(?:[^"]|"")*"|[^"\t]*))*')
_OPEN_ROW = re.compile(r'(?:(?:"(?:[^"]|"")*"|[^"\t]*)\t)*"(?:[^"]|"")*')
"""One whose last cell the sample cuts short, or is never closed, which is found when it is read."""
_ARRAY = re.compile(r"\s*\[\s*(?:[\[{\]]|$)")
_NUMBER = re.compile(r"[-+]?[$€£]?\d[\d.,:/%eE+ -]*(?:T[\d:.]+Z?)?")
"""A number, a date or a time: no column is named so."""
_SENTENCE = re.compile(r"\S+(?:\s+\S+){5}|\S+\s+\S.*[.!?…]\"?$", re.DOTALL)
"""Six words, or two that end as a sentence does."""
_LONGEST_NAME = 60


def guess_format(name: str, ending: str, sample: str) -> InputFormat:
    """Return the format that the ending tells, and where that leaves it open the content.

    Raises:
        InputError: neither tells.
    """
    told = by_ending(ending)
    if told in {"csv", "tsv"}:
        return told
    if told in {"json", "jsonl"} or sample.lstrip()[:1] in {"{", "["}:
        return _kind_of_json(sample, told)
    first = sample.lstrip("\r\n").partition("\n")[0].partition("\r")[0]
    if excel_separator(sample) or ("\t" not in first and guess_separator(sample) is not None):
        return "csv"
    if "\t" in first:
        return "tsv"
    raise InputError(f"{name}: its first line has no tab, comma, semicolon or bar between cells; {WANTED}")


def excel_separator(sample: str) -> str:
    """Return the separator that the first line names for Excel, if it does."""
    found = _EXCEL.match(sample)
    return found[1] if found else ""


def guess_separator(sample: str) -> str | None:
    """Return the separator of a csv by which its rows have a like number of cells; None if no row is separated."""
    best: tuple[bool, float, int] = (False, 0.0, 1)
    separator = None
    for candidate in _SEPARATORS:
        rows = sample_rows(sample, candidate)
        width = len(rows[0]) if rows else 0
        if width > 1:
            fitting = sum(len(row) == width for row in rows) / len(rows)
            score = (not USUAL.isdisjoint(map(_folded, rows[0])), fitting, width)
            if score[:2] > best[:2]:
                best, separator = score, candidate
    return separator


def csv_line_end(sample: str) -> str:
    """Return what ends the rows of a csv, whose quoted cells may have other line ends."""
    outside = _QUOTED.sub("", sample)
    return "\r" if "\r" in outside and "\n" not in outside else "\n"


def sample_rows(sample: str, separator: str, *, quoted: bool = True) -> list[list[str]]:
    """Return the first rows that are not empty, without one that the sample cuts short."""
    end = csv_line_end(sample) if quoted else "\r" if "\n" not in sample else "\n"
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    rows: list[list[str]] = []
    reader = csv.reader(split(iter([sample]), end), delimiter=separator, quoting=quoting)
    with suppress(csv.Error):  # the rest, or all of it, is not csv by this separator
        rows.extend(row for row in islice(reader, _ROWS) if row)
    whole = not rows[1:] or len(rows[-1]) == len(rows[0]) or sample.endswith(("\n", "\r"))
    return rows if whole else rows[:-1]


def quoted_as_csv(lines: Iterable[str], *, whole: bool) -> bool:
    """Whether in a tsv every cell that has a quotation mark is quoted as in csv.

    Args:
        lines: the lines.
        whole: they are all lines of the file; otherwise one such cell at least must be among them.
    """
    row: list[str] = []
    marks = size = 0
    found = whole
    for line in lines:
        if not row and '"' not in line:
            continue
        row.append(line)
        marks, size = marks + line.count('"'), size + len(line)
        if marks % 2 == 0:
            if not _QUOTED_ROW.fullmatch("".join(row).rstrip("\r\n")):
                return False
            row, size, found = [], 0, True
        elif size > LONGEST_CELL:
            return False
    return found if not row else found and _OPEN_ROW.fullmatch("".join(row)) is not None


def has_header(name: str, rows: Sequence[Sequence[str]], given: Collection[str]) -> bool:
    """Whether the first row names the columns.

    Args:
        name: the file, for the message.
        rows: the first rows.
        given: names of columns that the user gave.

    Raises:
        InputError: it cannot be told.
    """
    first, rest = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if not {*given}.isdisjoint(cell.strip() for cell in first) or not USUAL.isdisjoint(map(_folded, first)):
        return True
    if not {*given}.isdisjoint(numbered(len(first))):
        return False
    columns = [[row[position].strip() for row in rest if row[position].strip()] for position in range(len(first))]
    pairs = [(cell.strip(), column) for cell, column in zip(first, columns, strict=True)]
    for named, unnamed in ((_contrast(pairs), _numbers(pairs)), (_short_over_long(pairs), _like_data(pairs))):
        if named != unnamed:
            return named
        if named:
            break
    if len(first) == 1 or not rest:
        return True
    raise InputError(
        f"{name}: whether its first line names the columns cannot be told ({listed(first)}); "
        "put a line before it that does, such as text,label, or name the column by `text_column` (column_1 is the first)"
    )


def numbered(width: int) -> tuple[str, ...]:
    """Return the names of columns that have none."""
    return tuple(f"column_{number}" for number in range(1, width + 1))


def guess_text(columns: Sequence[str], sample: Sequence[Sequence[str]]) -> str | None:
    """Return the one column whose cells are longer than all others' by far and are no numbers."""
    means = []
    for position, name in enumerate(columns):
        cells = [row[position] for row in sample if len(row) == len(columns)]
        if cells and not all(map(_is_number, cells)):
            means.append((sum(map(len, cells)) / len(cells), name))
    means.sort(reverse=True)
    clear = len(means) == 1 or (len(means) > 1 and means[0][0] > 1.5 * means[1][0])
    return means[0][1] if clear else None


def _kind_of_json(sample: str, told: InputFormat | None) -> InputFormat:
    """Return `jsonl` where each line is a value of its own, otherwise `json`."""
    if _ARRAY.match(sample) and not (told == "jsonl" and _is_json(sample)):
        return "json"
    if told == "jsonl" or sample.lstrip()[:1] not in {"{", "["}:
        return "jsonl"
    first = sample.lstrip().partition("\n")[0].rstrip()
    return "jsonl" if _is_json(first) or (told is None and first.endswith("}")) else "json"


def _is_json(sample: str) -> bool:
    """Whether the first line is a JSON object, or an array that holds no object."""
    try:
        value = json.loads(sample.strip().partition("\n")[0])
    except (ValueError, RecursionError):
        return False
    return not isinstance(value, list) or not any(isinstance(each, dict) for each in value)


def _contrast(pairs: Sequence[tuple[str, list[str]]]) -> bool:
    """Whether a word stands over numbers; in the first column, which pandas leaves without a name, a blank cell may."""
    over = [
        cell
        for cell, column in (*pairs[:1], *(pair for pair in pairs[1:] if pair[0]))
        if column and all(map(_is_number, column))
    ]
    return any(not _is_number(cell) for cell in over)


def _numbers(pairs: Iterable[tuple[str, list[str]]]) -> bool:
    """Whether a number stands first, which names no column."""
    return any(_is_number(cell) for cell, _ in pairs)


def _short_over_long(pairs: Sequence[tuple[str, list[str]]]) -> bool:
    """Whether all cells may be names, and one stands over sentences."""
    cells = [cell for cell, _ in pairs]
    names = all(len(cell) <= _LONGEST_NAME and not _SENTENCE.match(cell) for cell in cells) and len({*cells}) == len(cells)
    return names and any(sum(map(_is_sentence, column)) * 2 > len(column) for _, column in pairs)


def _like_data(pairs: Iterable[tuple[str, list[str]]]) -> bool:
    """Whether a cell is a sentence, or stands again below."""
    return any(_is_sentence(cell) or (cell and cell in column) for cell, column in pairs)


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell.strip()) is not None


def _is_sentence(cell: str) -> bool:
    return len(cell) > _LONGEST_NAME or _SENTENCE.match(cell) is not None


def _folded(cell: str) -> str:
    return cell.strip().casefold()
