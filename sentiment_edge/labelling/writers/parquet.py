"""Labelled tables as Parquet, by pyarrow: the columns with their types, then label, score, scores and truncated."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sentiment_edge.extras import needs_extra
from sentiment_edge.labelling.writers.names import AddedNames, names_beside, taken
from sentiment_edge.labelling.writers.values import arrow_batches, cells
from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.tokenization import encodable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.data.tables.record import Record, Table
    from sentiment_edge.labelling.output.sink import Sink
    from sentiment_edge.labelling.row import LabelledRow

_ROWS, _BYTES = 2**16, 2**26
"""The most rows of a row group, and about the most bytes of one."""


class Parquet:
    """Writes row groups. Columns of other formats are texts; JSON is in those of what is neither text nor number.

    Raises:
        MissingExtra: pyarrow is not installed.
    """

    def __init__(self, table: Table, sink: Sink, labels: Sequence[str]) -> None:
        with needs_extra("parquet"):
            import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
            import pyarrow.parquet as pq  # noqa: PLC0415
        self._arrow: Any = pa
        self._labels = labels
        self._names = names_beside(table.columns)
        scores = pa.struct([(label, pa.float64()) for label in labels])
        kinds = (pa.string(), pa.float64(), scores, pa.bool_())
        self._texts = table.format != "parquet"
        """All columns are texts."""
        schema = table.schema if table.format == "parquet" else pa.schema([(column, pa.string()) for column in table.columns])
        for name, kind in zip(self._names, kinds, strict=True):
            schema = schema.append(pa.field(name, kind))
        self._schema = schema
        self._file = pq.ParquetWriter(sink.stream, schema)
        self._file.is_open = False  # or pyarrow would end a file that is given up, once nobody holds it
        self._waiting: list[Any] = []

    def begin(self, *, fresh: bool) -> None:
        """Write nothing: the schema comes last."""

    def problem(self, record: Record) -> str:  # noqa: ARG002 - of the protocol
        """Return nothing: any row can be written."""
        return ""

    def write(self, table: Table, rows: Sequence[LabelledRow]) -> None:
        """Write a row for each row, once there are enough for a row group."""
        start = 0
        for columns in self._columns(table, rows):
            size = len(columns[0])
            added = self._added(rows[start : start + size])
            start += size
            self._waiting.append(self._arrow.RecordBatch.from_arrays([*columns, *added], schema=self._schema))
        if sum(len(batch) for batch in self._waiting) >= _ROWS or sum(batch.nbytes for batch in self._waiting) >= _BYTES:
            self._write_group()

    def end(self) -> None:
        """Write the rest and the schema."""
        self._write_group()
        with self._written():
            self._file.close()

    def remarks(self) -> Iterator[str]:
        """Yield the names that had to be changed."""
        yield from taken(self._names, AddedNames._fields)

    def _check_types(self, table: Table) -> None:
        for position, name in enumerate(table.columns):
            first = self._schema.field(position).type
            kind = table.schema.field(position).type if table.format == "parquet" else self._arrow.string()
            if kind != first:
                raise InputError(
                    f"{table.name}: the column {name!r} is {kind} here, and {first} in the file before it; label it by itself"
                )

    def _columns(self, table: Table, rows: Sequence[LabelledRow]) -> Iterator[list[Any]]:
        """Yield the rows' own columns, several rows at a time."""
        if not self._texts:
            self._check_types(table)
            yield from (batch.columns for batch in arrow_batches(rows))
        else:
            text = self._arrow.string()
            for_arrow = ([cell and encodable(cell) for cell in row] for row in cells(table, rows))
            yield [self._arrow.array(column, text) for column in zip(*for_arrow, strict=True)]

    def _added(self, rows: Sequence[LabelledRow]) -> Iterator[Any]:
        answers = [None if row.answer is None or row.answer.label is None else row.answer for row in rows]
        values: tuple[list[Any], ...] = (
            [None if answer is None else answer.label for answer in answers],
            [None if answer is None else answer.score for answer in answers],
            [None if answer is None else answer.scores for answer in answers],
            [answer is not None and answer.truncated for answer in answers],
        )
        for name, column in zip(self._names, values, strict=True):
            yield self._arrow.array(column, self._schema.field(name).type)

    def _write_group(self) -> None:
        if self._waiting:
            with self._written():
                self._file.write_table(self._arrow.Table.from_batches(self._waiting), row_group_size=_ROWS)
            self._waiting = []

    @contextmanager
    def _written(self) -> Iterator[None]:
        self._file.is_open = True
        try:
            yield
        finally:
            self._file.is_open = False
