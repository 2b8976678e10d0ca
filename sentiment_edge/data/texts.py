"""Users' own texts without labels: lines of a txt file, or a column of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sentiment_edge.data.columns import BadRows, find_column
from sentiment_edge.data.table import open_table
from sentiment_edge.data.tables.names import TEXT
from sentiment_edge.data.tables.record import ReadOptions
from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.tokenization import encodable

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge.data.tables.record import Table
    from sentiment_edge_runtimes.progress import Progress

_WANTED = "give a text a line in a .txt file, or csv, tsv, jsonl, JSON or Parquet with a column of texts"


def read_own_texts(
    path: Path, column: str | None, progress: Progress, options: ReadOptions | None = None, *, most: int | None = None
) -> tuple[str, ...]:
    """Return the texts of a file that are not blank.

    Args:
        path: the file; the ending of its name tells its format. `-` is stdin.
        column: the name of the column of texts; None for the only column, or the first one of a usual name.
        progress: hears what was chosen and left out.
        options: the file's format and encoding, where they are not to be found out.
        most: the number of texts after which nothing more is read; None for all of them.

    Raises:
        InputError: the file or its column cannot be used, a row that was read cannot be, or no text is left.
    """
    names = frozenset() if column is None else frozenset([column])
    bad = BadRows(advice="correct them")
    texts, blank = [], 0
    with open_table(path, replace(options or ReadOptions(), plain=True, names=names), progress) as table:
        position = find_text(table, column, progress)
        for record in bad.without(table, blank=True, text=position):
            text = record.cells[position]
            if text.strip():
                texts.append(encodable(text))
            else:
                blank += 1
            if len(texts) == most:
                break
    bad.report(table, progress, skip=False)
    if not texts:
        raise InputError(f"{table.name}: no text in it; {_WANTED}")
    if blank:
        progress.remark(f"{table.name}: {blank} blank texts left out")
    return tuple(texts)


def find_text(table: Table, column: str | None, progress: Progress) -> int:
    """Return the position of the column of texts; the only column may have any name.

    Args:
        table: the file.
        column: the column's name, if the user gave one.
        progress: hears which column was taken, if it was guessed.

    Raises:
        InputError: there is no such column, or it is there twice.
    """
    if table.format == "lines":
        if column is None:
            return 0
        raise InputError(f"{table.name}: lines have no column {column!r}; leave `text_column` out, or give csv, tsv or jsonl")
    if column is not None or len(table.columns) > 1 or not table.header or table.columns[0].casefold() in TEXT:
        return find_column(table, "text", column, TEXT, progress)
    line = "" if table.format in {"parquet", "json", "jsonl"} else "; its first line is not one of them"
    progress.remark(f"{table.name}: texts taken from the only column, {table.columns[0]!r:.60}{line}")
    return 0
