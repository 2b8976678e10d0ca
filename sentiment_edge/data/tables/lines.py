"""Lines that are a text each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.data.tables.record import Record, Table
from sentiment_edge.data.tables.text import LONGEST_LINE, MARK, flaw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge.data.tables.text import Text

_COLUMNS = ("text",)


def open_lines(name: str, text: Text) -> Table:
    """Open lines that are a text each; blank ones are rows too."""
    end = text.line_end
    return Table(name, "lines", _COLUMNS, _read_lines(text), header=False, encoding=text.encoding, line_end=end)


def _read_lines(text: Text) -> Iterator[Record]:
    for number, line in enumerate(text.lines(), start=1):
        problem = f"more than {LONGEST_LINE} characters" if len(line) >= LONGEST_LINE else ""
        if text.faulty:
            problem = flaw(line, text.encoding) or problem
        line = line.removesuffix("\n").removesuffix("\r")  # noqa: PLW2901 - the same line
        yield Record(number, [], problem, line.replace(MARK, "\ufffd")) if problem else Record(number, [line])
