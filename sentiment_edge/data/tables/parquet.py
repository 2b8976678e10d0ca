"""Rows of Parquet, in batches, by pyarrow."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, overload

from sentiment_edge.data.tables.record import NO_TEXT, ArrowRow, Record, Table
from sentiment_edge.data.tables.text import MARKS
from sentiment_edge.extras import needs_extra
from sentiment_edge_runtimes.errors import InputError, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge.data.tables.source import ByteSource

_BATCH, _BATCH_BYTES = 4096, 2**25
"""The most rows that are decoded at once, and about the most bytes."""
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
        in_place = source.path is not None and not source.packed
        if not in_place:
            for block in source.blocks():
                copy.write(block)
        given = source.stream if in_place else copy
        given.seek(0)
        try:
            file = pq.ParquetFile(given, buffer_size=_BUFFER, pre_buffer=False)
        except Exception as error:  # pyarrow's errors have no common ancestor
            raise InputError(f"{source.name}: not Parquet ({first_line(error)})") from error
        columns = tuple(file.schema_arrow.names)
        if not columns:
            raise InputError(f"{source.name}: names no columns; give Parquet with a column of texts")
        rows = _Rows(source.name, file)
        yield Table(source.name, "parquet", columns, rows.records(), encoding="", schema=file.schema_arrow, share=rows.share)


class _Rows:
    """The rows of a file, read a batch at a time."""

    def __init__(self, name: str, file: Any) -> None:  # noqa: ANN401 - pyarrow has no types
        self._name = name
        self._file = file
        self._read = 0

    def share(self) -> float | None:
        """Return the share of the rows that have been read."""
        total = self._file.metadata.num_rows
        return self._read / total if total else None

    def records(self) -> Iterator[Record]:
        """Yield the rows, each with the cells of its batch, of which a column becomes text when it is first asked for."""
        for batch in self._batches():
            columns, size = _Columns(batch), batch.nbytes // max(1, batch.num_rows)
            for index in range(batch.num_rows):
                self._read += 1
                yield Record(self._read, _Cells(columns, index), "", ArrowRow(batch, index, size))

    def _batches(self) -> Iterator[Any]:
        groups = (self._file.metadata.row_group(index) for index in range(self._file.metadata.num_row_groups))
        largest = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=1)
        batches = self._file.iter_batches(batch_size=max(1, min(_BATCH, _BATCH_BYTES // max(1, largest))))
        while True:
            try:
                batch = next(batches, None)
            except Exception as error:
                raise InputError(f"{self._name}: cannot be read after row {self._read} ({first_line(error)})") from error
            if batch is None:
                return
            yield batch


class _Columns:
    """The columns of a batch as texts."""

    def __init__(self, batch: Any) -> None:  # noqa: ANN401
        self.batch = batch
        self._read: dict[int, Sequence[str]] = {}

    def __getitem__(self, position: int) -> Sequence[str]:
        if position not in self._read:
            self._read[position] = _cells(self.batch.column(position))
        return self._read[position]


class _Cells(Sequence[str]):
    """The cells of a row."""

    def __init__(self, columns: _Columns, row: int) -> None:
        self._columns = columns
        self._row = row

    @overload
    def __getitem__(self, position: int) -> str: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[str]: ...

    def __getitem__(self, position: int | slice) -> str | Sequence[str]:
        """Return the cell of a column, or those of several."""
        if isinstance(position, slice):
            return [self[each] for each in range(*position.indices(len(self)))]
        return self._columns[position][self._row]

    def __len__(self) -> int:
        """Return the number of columns."""
        return int(self._columns.batch.num_columns)


def _cells(column: Any) -> Sequence[str]:  # noqa: ANN401
    """Return a column as cells."""
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
    return [NO_TEXT if valid else "" for valid in column.is_valid().to_pylist()]


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors=MARKS)
