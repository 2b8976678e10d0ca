"""Rows of Parquet, in batches, by pyarrow."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sentiment_edge.data.tables.record import LONGEST_CELL, ArrowRow, Record, Table
from sentiment_edge.extras import needs_extra
from sentiment_edge_runtimes.errors import InputError, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.data.tables.source import ByteSource

_BATCH = 4096
"""Rows that are decoded at once."""
_BUFFER = 2**20
"""Bytes of a column that are held: pyarrow's own way holds all of a row group."""


@contextmanager
def open_parquet(source: ByteSource) -> Iterator[Table]:
    """Open Parquet; what cannot be read at any place, such as a pipe, is copied to a temporary file first.

    Raises:
        InputError: it is not Parquet, or has no columns.
        MissingExtra: pyarrow is not installed.
    """
    with needs_extra("parquet"):
        import pyarrow.parquet as pq  # noqa: PLC0415 - an extra, and slow to import
    with tempfile.TemporaryFile() as copy:
        if source.path is None:
            for block in source.blocks():
                copy.write(block)
        given = copy if source.path is None else source.stream
        given.seek(0)
        try:
            file = pq.ParquetFile(given, buffer_size=_BUFFER, pre_buffer=False)
        except Exception as error:  # pyarrow's errors have no common ancestor
            raise InputError(f"{source.name}: not Parquet ({first_line(error)})") from error
        columns = tuple(file.schema_arrow.names)
        if not columns:
            raise InputError(f"{source.name}: names no columns; give Parquet with a column of texts")
        yield Table(source.name, "parquet", columns, _records(source.name, file), encoding="", schema=file.schema_arrow)


def _records(name: str, file: Any) -> Iterator[Record]:  # noqa: ANN401 - pyarrow has no types
    number = 0
    batches = file.iter_batches(batch_size=_BATCH)
    while True:
        try:
            batch = next(batches, None)
        except Exception as error:
            raise InputError(f"{name}: cannot be read after row {number} ({first_line(error)})") from error
        if batch is None:
            return
        for index, cells in enumerate(zip(*map(_cells, batch.columns), strict=True)):
            number += 1
            problem = _problem(cells)
            yield Record(number, [] if problem else cells, problem, ArrowRow(batch, index))


def _cells(column: Any) -> Sequence[str | None]:  # noqa: ANN401
    """Return a column as cells, None for bytes that are not text."""
    import pyarrow as pa  # noqa: PLC0415 - it is loaded already

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _cells(column.dictionary_decode())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        dumps = str if pa.types.is_integer(kind) else json.dumps
        return ["" if value is None else dumps(value) for value in column.to_pylist()]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        try:
            return [value or "" for value in column.to_pylist()]
        except UnicodeDecodeError:
            return [_text(value) for value in column.cast(pa.large_binary()).to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return [_text(value) for value in column.to_pylist()]
    return [""] * len(column)


def _text(value: bytes | None) -> str | None:
    try:
        return (value or b"").decode()
    except UnicodeDecodeError:
        return None


def _problem(cells: Sequence[str | None]) -> str:
    if None in cells:
        return "not UTF-8"
    return f"more than {LONGEST_CELL} characters in a cell" if max(map(len, cells)) > LONGEST_CELL else ""  # type: ignore[arg-type]
