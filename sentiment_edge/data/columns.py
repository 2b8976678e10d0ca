"""Columns of a table by what they hold, and rows that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentiment_edge.data.tables.record import NO_TEXT, ArrowRow
from sentiment_edge.data.tables.text import MARK
from sentiment_edge.render.text import listed
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sentiment_edge.data.tables.record import Record, Table
    from sentiment_edge_runtimes.progress import Progress

_PROBABILITY = ("", "probability_", "prob_", "proba_", "p_", "score_")
"""Prefixes of a class's name in the name of its column of probabilities."""
_NAMED_LINES = 5


def find_column(table: Table, kind: str, given: str | None, usual: Sequence[str], progress: Progress) -> int:
    """Return the position of a column: the one of the given name, by default the first of the usual names.

    Args:
        table: the file.
        kind: what the column holds: `text`, `label` or `prediction`, as in the option `text_column`.
        given: its name, if the user gave one.
        usual: names to look for otherwise.
        progress: hears which column was taken, if several have a usual name.

    Raises:
        InputError: there is no such column, or it is there twice.
    """
    names = [column.casefold() for column in table.columns]
    if given is not None:
        found = [given] if given in table.columns else []
    elif not table.header and table.format != "lines":
        found = _guessed(table, kind, progress)
    else:
        found = [table.columns[names.index(name)] for name in usual if name in names]
    if not found:
        problem = f"no column {given!r}" if given is not None else f"no column has a usual name for the {kind}"
        named = "the columns are" if table.format == "parquet" or not table.header else "the first line names the columns"
        raise InputError(f"{table.name}: {problem}; {named}: {listed(table.columns)}; name it by `{kind}_column`")
    if table.columns.count(found[0]) > 1:
        raise InputError(f"{table.name}: the header has the column {found[0]!r} twice; rename one")
    if len(found) > 1:
        progress.remark(f"{table.name}: {kind} taken from the column {found[0]!r}; choose another by `{kind}_column`")
    return table.columns.index(found[0])


def _guessed(table: Table, kind: str, progress: Progress) -> list[str]:
    """Return the column of texts of a table without names if its cells tell, or of labels if it is the only other one."""
    from sentiment_edge.data.tables.guess import guess_text  # noqa: PLC0415 - as in table.py

    texts = guess_text(table.columns, table.sample)
    others = [column for column in table.columns if column != texts]
    found = {"text": texts, "label": others[0] if texts and len(others) == 1 else None}.get(kind)
    if found is None:
        return []
    progress.remark(f"{table.name}: {kind} taken from {found}; choose another by `{kind}_column`")
    return [found]


def find_probabilities(columns: Sequence[str], labels: Sequence[str]) -> dict[str, int]:
    """Return the position of each class's column of probabilities, for classes that have one."""
    positions = {column.casefold(): position for position, column in enumerate(columns)}
    found = {}
    for label in labels:
        names = (prefix + label.casefold() for prefix in _PROBABILITY)
        position = next((positions[name] for name in names if name in positions), None)
        if position is not None:
            found[label] = position
    return found


@dataclass
class BadRows:
    """Rows that cannot be used: their number, and the first of them with the reason."""

    advice: str = "correct them, or leave them out by `skip_bad`"
    """Advice to the user, for the error's message."""
    count: int = 0
    _first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, problem: str) -> None:
        """Count a row, given by the line that it starts at."""
        self.count += 1
        if len(self._first) < _NAMED_LINES:
            self._first.append((line, problem))

    def without(self, table: Table, *, blank: bool = False, **positions: int) -> Iterator[Record]:
        """Yield the rows that can be used; count the others.

        Args:
            table: the file.
            blank: a cell may be blank.
            positions: the columns that are used, by what they hold.
        """
        for record in table.records:
            if problem := _problem(record, positions, blank=blank):
                self.add(record.line, problem)
            else:
                yield record

    def report(self, table: Table, progress: Progress, *, skip: bool) -> None:
        """Remark how many rows were left out, or refuse the file.

        Raises:
            InputError: there are some, and they are not to be skipped.
        """
        if not self.count:
            return
        named = self.named(table)
        if not skip:
            encoded = table.encoding and any(problem == f"not {table.encoding.upper()}" for _, problem in self._first)
            advice = (
                f"{self.advice}; if all is in another encoding, save it in UTF-8 or name it by `encoding`"
                if encoded
                else self.advice
            )
            raise InputError(f"{table.name}: {self.count} rows cannot be used: {named}; {advice}")
        progress.remark(f"{table.name}: {self.count} rows left out that cannot be used: {named}")

    def named(self, table: Table) -> str:
        """Return the first of them, each with its reason."""
        named = ", ".join(f"{table.unit} {line} ({problem})" for line, problem in self._first)
        return named + (", ..." if self.count > len(self._first) else "")


def problem_of(record: Record, position: int) -> str:
    """Return the reason why a row, or its cell in a column, cannot be used, if so."""
    if record.problem:
        return record.problem
    cell = record.cells[position]
    if cell is NO_TEXT:
        return "no text there, but a list, an object or the like"
    return "not UTF-8" if MARK in cell and type(record.original) is ArrowRow else ""


def _problem(record: Record, positions: Mapping[str, int], *, blank: bool) -> str:
    found = next(filter(None, (problem_of(record, position) for position in positions.values())), record.problem)
    if found or blank:
        return found
    return next((f"no {kind}" for kind, position in positions.items() if not record.cells[position].strip()), "")
