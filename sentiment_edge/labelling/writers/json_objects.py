"""Labelled tables as jsonl and JSON arrays: each object as it was, with label, score, scores and truncated at its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sentiment_edge.data.tables.record import JsonObject
from sentiment_edge.labelling.writers.escapes import as_json
from sentiment_edge.labelling.writers.names import AddedNames, names_beside, taken
from sentiment_edge.labelling.writers.values import EncodingCheck, objects
from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.inputs import free_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentiment_edge.data.tables.record import Record, Table
    from sentiment_edge.labelling.row import LabelledRow

_LINE_ENDS = re.compile(r"[\r\n]+[ \t]*")
_LINES, _ARRAY = ("", "", "\n", ""), ("[\n", ",\n", "", "\n]\n")


class JsonObjects:
    """Writes an object for each row, on a line of its own, or of several lines in an array that was written so.

    Raises:
        InputError: two columns have one name.
    """

    def __init__(self, form: str, table: Table, put: Callable[[str], None]) -> None:
        twice = next((column for column in table.columns if table.columns.count(column) > 1), None)
        if twice is not None:
            raise InputError(f"{table.name}: the header has the column {twice!r} twice; rename one, or choose `format` csv")
        self._one_line = form == "jsonl"
        self._columns = table.columns
        self._names = names_beside(table.columns)
        self._named = self._names._asdict()
        self._opening, self._between, self._after, self._closing = _LINES if self._one_line else _ARRAY
        self._before = self._opening
        self._put = put
        self._check = EncodingCheck()

    def begin(self, *, fresh: bool) -> None:
        """Write nothing: what opens an array stands before its first object."""
        self._before = self._opening if fresh else self._between

    def problem(self, record: Record) -> str:
        """Return the reason why a row cannot be written, such as an entry of an added name that the first row has not."""
        entries = record.original.value if isinstance(record.original, JsonObject) else ()
        found = next((name for name in self._names if name in entries), None)
        return self._check.problem(record) if found is None else f"an entry {found!r}, which the first rows have not"

    def write(self, table: Table, rows: Sequence[LabelledRow]) -> None:
        """Write an object for each row."""
        own = table.format in {"json", "jsonl"}
        for row, written in zip(rows, objects(table, rows), strict=True):
            if own and self._one_line:
                written = _LINE_ENDS.sub(" ", written)  # noqa: PLW2901 - between values, as strings hold none
            self._put(f"{self._before}{written[:-1].rstrip()}, {self._entries(row)}{self._after}")
            self._before = self._between

    def end(self) -> None:
        """Close an array."""
        if self._before != self._between:
            self._put(self._before)
        self._put(self._closing)

    def remarks(self) -> Iterator[str]:
        """Yield the names that had to be changed."""
        yield from taken(self._names, AddedNames._fields)

    def _entries(self, row: LabelledRow) -> str:
        """Return the entries that an answer adds, and the bracket that closes the object."""
        added: dict[str, Any] = {"label": None, "score": None, "scores": {}, "truncated": False}
        added |= row.answer.to_dict() if row.answer is not None else {}
        named = {name: added.pop(field) for field, name in self._named.items()}
        if added:  # an error, which is seldom: of its own name in each row
            written = row.record.original.value if isinstance(row.record.original, JsonObject) else self._columns
            named |= dict(zip(free_names([*added], written), added.values(), strict=True))
        return as_json(named)[1:]
