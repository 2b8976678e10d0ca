"""Rows of jsonl, an object a line, and of json, the objects of an array or one after the other on any number of lines."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sentiment_edge.data.tables.record import (
    LONGEST_CELL,
    NO_TEXT,
    WANTED,
    InputFormat,
    JsonObject,
    Record,
    Table,
    WrittenFloat,
)
from sentiment_edge.data.tables.text import LONGEST_LINE, flaw
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sentiment_edge.data.tables.text import Text

_BETWEEN = re.compile(r"[\s,]*")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\[^\n])*(?:["\n]|\\?\Z)|[\[\]{}]')
"""A bracket, or a string, which no line end may be in."""
_BEGIN = re.compile(r"\s*\{")
_SCALAR = re.compile(r"[^\s,\[\]{}]+")
_NO_OBJECT = "not a JSON object, or an empty one"
_WHITE = " \t\r\n"


def open_json(name: str, form: InputFormat, text: Text) -> Table:
    """Open jsonl or json; the columns are the keys of the first object, and of the others at the beginning of the file.

    Raises:
        InputError: there is no object in it.
    """
    values = _lines(text) if form == "jsonl" else _Values(text).records()
    early: list[Record] = []
    first = next((value for value in values if not _is_bad(value, early)), None)
    if first is None:
        line, problem = (early[0].line, early[0].problem) if early else (1, "no object")
        raise InputError(f"{name}: line {line} names no columns ({problem}); {WANTED}")
    columns = tuple(dict.fromkeys([*first.original.value, *_names(text)]))
    return Table(name, form, columns, _rows(early, first, values, columns), encoding=text.encoding, line_end=text.line_end)


def _is_bad(value: Record, bad: list[Record]) -> bool:
    """Whether a value is no object; it is added to the others that are none."""
    if value.problem:
        bad.append(value)
    return bool(value.problem)


def _names(text: Text) -> Iterator[str]:
    """Yield the keys of the objects in the sample: in a log they change."""
    for value in _Values(_Sample(text)).records():
        yield from () if value.problem else value.original.value


def _rows(early: list[Record], first: Record, values: Iterable[Record], columns: Sequence[str]) -> Iterator[Record]:
    yield from early
    yield _row(first, columns)
    for value in values:
        yield value if value.problem else _row(value, columns)


def _row(value: Record, columns: Sequence[str]) -> Record:
    found = value.original.value
    cells = [cell if type(cell) is str else str(cell) if type(cell) is int else _cell(cell) for cell in map(found.get, columns)]
    if max(map(len, cells)) > LONGEST_CELL:
        return Record(value.line, [], f"more than {LONGEST_CELL} characters in a cell")
    return Record(value.line, cells, "", value.original)


def _cell(value: object) -> str:
    """Return a JSON value as a cell."""
    if isinstance(value, WrittenFloat):
        return value.text
    return "" if value is None else json.dumps(value) if isinstance(value, int | float) else NO_TEXT


def _lines(text: Text) -> Iterator[Record]:
    """Yield the values of jsonl, or the problem of a line."""
    for number, line in enumerate(text.lines(), start=1):
        stripped = line.strip(_WHITE)
        if not stripped:
            continue
        problem = flaw(line, text.encoding) if text.faulty else ""
        value: Any = None
        try:
            value = None if problem else _decoder.decode(stripped)
        except (ValueError, RecursionError):
            problem = "not JSON"
        if not problem and not (isinstance(value, dict) and value):
            problem = _NO_OBJECT
        yield Record(number, [], problem, None if problem else JsonObject(stripped, value))


class _Sample:
    """The sample of a text, as a text."""

    def __init__(self, text: Text) -> None:
        self.encoding = text.encoding
        self.line_end = text.line_end
        self.faulty = False
        self._sample = text.sample

    def blocks(self) -> Iterator[str]:
        yield self._sample


class _Values:
    """Values that follow each other in text, in an array or not, in memory that is bounded."""

    def __init__(self, text: Text | _Sample) -> None:
        self._text = text
        self._blocks = text.blocks()
        self._buffer = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def records(self) -> Iterator[Record]:
        """Yield each value, or the problem of what is none."""
        self._skip()
        array = self._buffer.startswith("[", self._at)
        if array:
            self._advance(self._at + 1)
        while self._skip():
            if array and self._buffer[self._at] == "]":
                self._advance(self._at + 1)
                if self._skip():
                    yield Record(self._line, [], "more after the end of the array; the rest is not read")
                return
            yield self._next()
        if array:
            yield Record(self._line, [], "the array does not end; the file may be cut short")

    def _next(self) -> Record:
        """Return the value that begins here."""
        while True:
            value, end, problem = self._parse()
            if end is not None and (end < len(self._buffer) or self._ended or self._buffer[end - 1] in '}]"'):
                break
            if self._ended or len(self._buffer) - self._at > LONGEST_LINE:
                end, problem = len(self._buffer), "not JSON, from here to the end" if self._ended else "too long"
                break
            self._read()
        line, written = self._line, self._buffer[self._at : end]
        if self._text.faulty:
            problem = flaw(written, self._text.encoding) or problem
        self._advance(end)
        if not problem and not (isinstance(value, dict) and value):
            problem = _NO_OBJECT
        return Record(line, [], problem, None if problem else JsonObject(written, value))

    def _parse(self) -> tuple[Any, int | None, str]:
        """Return the value that begins here and where it ends, or where what is no value does; None for not yet."""
        try:
            value, end = _decoder.raw_decode(self._buffer, self._at)
        except (ValueError, RecursionError):
            return None, self._extent(), "not JSON"
        return value, end, ""

    def _extent(self) -> int | None:
        """Return where the brackets that open here are closed; after half a string, where the next object begins a line."""
        scalar = _SCALAR.match(self._buffer, self._at)
        if scalar and self._buffer[self._at] != '"':
            return scalar.end()
        depth = 0
        for token in _TOKEN.finditer(self._buffer, self._at):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
            if depth <= 0 or (token[0][-1] == "\n" and _BEGIN.match(self._buffer, token.end())):
                return token.end()
        return None

    def _skip(self) -> bool:
        """Pass what stands between values; return whether something follows."""
        while True:
            found = _BETWEEN.match(self._buffer, self._at)
            self._advance(found.end() if found else self._at)
            if self._at < len(self._buffer):
                return True
            if self._ended:
                return False
            self._read()

    def _advance(self, end: int) -> None:
        self._line += self._buffer.count(self._text.line_end, self._at, end)
        self._at = end

    def _read(self) -> None:
        """Read on, at least as much as is held already, so that a long value is not parsed often; a short one at once."""
        held = self._buffer[self._at :]
        blocks, size = [held], len(held)
        wanted = 2 * size if size > _SHORT else size + 1
        while size < wanted and not self._ended:
            block = next(self._blocks, None)
            self._ended = block is None
            blocks.append(block or "")
            size += len(block or "")
        self._buffer, self._at = "".join(blocks), 0


_SHORT = 2**20
_decoder = json.JSONDecoder(parse_float=WrittenFloat)
