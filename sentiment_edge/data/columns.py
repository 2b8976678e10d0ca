"""Which column is which, and which rows are left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentiment_edge.render.text import listed
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentiment_edge.data.table import Record, Table

TEXT = ("text", "sentence", "review", "content", "tweet", "line", "comment", "message", "body", "document")
LABEL = ("label", "sentiment", "target", "class", "gold", "polarity", "category", "label3", "label2", "label5")
PREDICTION = ("prediction", "predicted", "pred", "predicted_label", "predicted_class")
"""Names that a column is known by, whatever their case; of several in a file, the first here is taken."""
_PROBABILITY = ("", "probability_", "prob_", "proba_", "p_", "score_")
"""What stands before a class's name in the name of its column of probabilities."""
_NAMED_LINES = 5


def find_column(table: Table, kind: str, given: str | None, known: Sequence[str], say: Callable[[str], None]) -> int:
    """Return the position of a column: the one that was given, else the first that is known.

    Args:
        table: the file.
        kind: what the column is for: `text`, `label` or `prediction`, as in the option `--text-column`.
        given: its name, where the user gave one.
        known: names to look for without it.
        say: told which was taken, where several were known.

    Raises:
        InputError: there is no such column, or it is there twice.
    """
    names = [column.casefold() for column in table.columns]
    if given is not None:
        found = [given] if given in table.columns else []
    else:
        found = [table.columns[names.index(name)] for name in known if name in names]
    if not found:
        what = f"no column {given!r}" if given is not None else f"no column is known to hold the {kind}"
        raise InputError(
            f"{table.path}: {what}; the first line names the columns: {listed(table.columns)}; name it by --{kind}-column"
        )
    if table.columns.count(found[0]) > 1:
        raise InputError(f"{table.path}: the header has the column {found[0]!r} twice; rename one")
    if len(found) > 1:
        say(f"{table.path}: {kind} taken from the column {found[0]!r}; --{kind}-column for another")
    return table.columns.index(found[0])


def find_probabilities(columns: Sequence[str], labels: Sequence[str]) -> dict[str, int]:
    """Return the position of the column of probabilities of each class that has one."""
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
    """Rows that cannot be used: counted, the first of them named."""

    advice: str = "mend them, or leave them out by --skip-bad"
    """What to do about them."""
    count: int = 0
    _first: list[str] = field(default_factory=list)

    def add(self, line: int, problem: str) -> None:
        """Take note of the row that starts at a line."""
        self.count += 1
        if len(self._first) < _NAMED_LINES:
            self._first.append(f"line {line} ({problem})")

    def without(self, table: Table, **positions: int) -> Iterator[Record]:
        """Yield the rows that parse and have something in each of these columns, by what they are for; count the others."""
        for record in table.records:
            blank = (f"no {kind}" for kind, position in positions.items() if not record.cells[position].strip())
            if problem := record.problem or next(blank, ""):
                self.add(record.line, problem)
            else:
                yield record

    def settle(self, table: Table, skip: bool, say: Callable[[str], None]) -> None:  # noqa: FBT001 - the user's choice
        """Say how many rows were left out, or refuse the file.

        Raises:
            InputError: there are some, and they are not to be skipped.
        """
        if not self.count:
            return
        named = ", ".join(self._first) + (", ..." if self.count > len(self._first) else "")
        if not skip:
            raise InputError(f"{table.path}: {self.count} rows do not parse: {named}; {self.advice}")
        say(f"{table.path}: {self.count} rows left out that do not parse: {named}")
