"""Users' own texts without labels: lines of a txt file, or a column of csv, tsv or jsonl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.data.columns import TEXT, BadRows, find_column
from sentiment_edge.data.lines import read_lines
from sentiment_edge.data.table import open_table
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentiment_edge.data.table import Table
    from sentiment_edge_runtimes.progress import Progress

_LINES = {".txt", ""}
"""Endings of the names of files without columns; a file without an ending may be a pipe."""
_WANTED = "give a text a line in a .txt file, or .csv, .tsv or .jsonl with a column of texts, in UTF-8"


def read_own_texts(path: Path, column: str | None, progress: Progress) -> tuple[str, ...]:
    """Return the texts of a file that are not blank.

    Args:
        path: the file, in UTF-8; the ending of its name tells its format.
        column: the name of the column of texts; None for the only column, or the first one of a usual name.
        progress: hears what was chosen and left out.

    Raises:
        InputError: the file or its column cannot be used, or no text is left.
    """
    if path.suffix.lower() in _LINES and column is not None:
        raise InputError(f"{path}: lines have no column {column!r}; leave `text_column` out, or give .csv, .tsv or .jsonl")
    read = _lines(path) if path.suffix.lower() in _LINES else _cells(path, column, progress)
    try:
        texts = [*read]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); {_WANTED}") from error
    kept = tuple(text.encode("utf-8", "replace").decode() for text in texts if text.strip())
    if not kept:
        raise InputError(f"{path}: no text in it; {_WANTED}")
    if len(kept) < len(texts):
        progress.remark(f"{path}: {len(texts) - len(kept)} blank texts left out")
    return kept


def _lines(path: Path) -> Iterator[str]:
    number = 0
    for lines in read_lines([path]):
        if lines.undecodable:
            raise InputError(f"{path}: not UTF-8 between lines {number + 1} and {number + len(lines.texts)}; {_WANTED}")
        number += len(lines.texts)
        yield from lines.texts


def _cells(path: Path, column: str | None, progress: Progress) -> Iterator[str]:
    bad = BadRows(advice="correct them")
    with open_table(path) as table:
        position = _text_column(table, column, progress)
        for record in bad.without(table):
            yield record.cells[position]
    bad.report(table, progress, skip=False)


def _text_column(table: Table, column: str | None, progress: Progress) -> int:
    """Return the position of the column of texts; the only column may have any name."""
    if column is not None or len(table.columns) > 1 or table.columns[0].casefold() in TEXT:
        return find_column(table, "text", column, TEXT, progress)
    progress.remark(
        f"{table.path}: texts taken from the only column, {table.columns[0]!r:.60}; its first line is not one of them"
    )
    return 0
