"""Rows of a table on disk or from stdin, whatever its format: the one way in for the commands and the library.

Each format's module is imported when it is needed: lines, which most commands read, start faster without the others.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sentiment_edge.data.tables.lines import open_lines
from sentiment_edge.data.tables.record import WANTED, ReadOptions, by_ending
from sentiment_edge.data.tables.source import NOBODY, open_source
from sentiment_edge.data.tables.text import Text, flaw, not_text
from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentiment_edge.data.tables.record import InputFormat, Table
    from sentiment_edge.data.tables.source import ByteSource, Listener
    from sentiment_edge_runtimes.progress import Progress

_PLAIN = {".txt", ""}
"""Endings of files that have no columns; a file without an ending may be a pipe."""


@contextmanager
def open_table(
    path: Path, options: ReadOptions | None = None, progress: Progress = SILENT, listener: Listener = NOBODY
) -> Iterator[Table]:
    """Open a table: csv, tsv, jsonl, a JSON array, Parquet or lines, compressed or not, in UTF-8, UTF-16 or as named.

    Args:
        path: the file; `-` for stdin.
        options: its format and its encoding, where they are not to be found out.
        progress: hears what was guessed.
        listener: hears of the reading.

    Raises:
        InputError: the file is empty, not text, or has no columns.
        OptionError: the encoding is not known.
        MissingExtra: Parquet, and pyarrow is not installed.
    """
    options = options or ReadOptions()
    with open_source(path, listener) as source:
        if _is_parquet(source, options):
            from sentiment_edge.data.tables.parquet import open_parquet  # noqa: PLC0415 - see above

            with open_parquet(source) as table:
                yield table
        else:
            yield replace(_open_text(source, options, progress), share=source.share)


def _is_parquet(source: ByteSource, options: ReadOptions) -> bool:
    if options.input_format is None and options.encoding is None and source.first(4) == b"PAR1":
        return True  # whatever its ending says
    return (options.input_format or by_ending(source.ending)) == "parquet"


def _open_text(source: ByteSource, options: ReadOptions, progress: Progress) -> Table:
    name = source.name
    if source.first(4) == b"PK\x03\x04":
        raise InputError(f"{name}: a zip archive, as Excel's workbooks are; save it as csv, or give what is in it")
    text = Text(source, options.encoding)
    plain = options.plain and source.ending in _PLAIN
    form = options.input_format or ("lines" if plain else None)
    if not text.sample and form != "lines":
        raise InputError(f"{name}: the file is empty; {WANTED}")
    form = form or _format(source, text)
    if text.guessed:
        progress.remark(f"{name}: read as {text.encoding.upper()}; another is named by `encoding`")
    if form == "lines":
        return open_lines(name, text)
    if form in {"json", "jsonl"}:
        from sentiment_edge.data.tables.json_values import open_json  # noqa: PLC0415 - see above

        return open_json(name, form, text)
    from sentiment_edge.data.tables.delimited import open_csv, open_tsv  # noqa: PLC0415 - see above

    return (open_csv if form == "csv" else open_tsv)(name, text, options, progress)


def _format(source: ByteSource, text: Text) -> InputFormat:
    if by_ending(source.ending) not in {"json", "jsonl"} and flaw(text.sample.partition(text.line_end)[0], ""):
        raise not_text(source.name, text)
    from sentiment_edge.data.tables.guess import guess_format  # noqa: PLC0415 - see above

    return guess_format(source.name, source.ending, text.sample)
