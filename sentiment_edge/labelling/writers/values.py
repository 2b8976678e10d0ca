"""The values of rows, from whatever format to whatever format."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sentiment_edge.data.tables.record import ArrowRow, WrittenFloat
from sentiment_edge.labelling.writers.escapes import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.data.tables.record import Record, Table
    from sentiment_edge.labelling.row import LabelledRow

_UNTOLD = (KeyError, OverflowError, ValueError)
"""What Arrow raises for a value that Python has no type for; a KeyError comes from pytz, which it uses where there is one."""


def cells(table: Table, rows: Sequence[LabelledRow]) -> Iterator[Sequence[str | None]]:
    """Yield the cells of each row; None for no value, JSON for what is neither text nor number."""
    if table.format in {"json", "jsonl"}:
        for row in rows:
            yield [_cell(row.record.original.value.get(column)) for column in table.columns]
    elif table.format == "parquet":
        for batch in arrow_batches(rows):
            yield from zip(*([_cell(value) for value in _values(column)] for column in batch.columns), strict=True)
    else:
        yield from (row.record.cells for row in rows)


def objects(table: Table, rows: Sequence[LabelledRow]) -> Iterator[str]:
    """Yield each row as a JSON object: as it was written, where it was written so."""
    if table.format in {"json", "jsonl"}:
        yield from (row.record.original.text for row in rows)
    elif table.format == "parquet":
        for batch in arrow_batches(rows):
            yield from (
                dumps(dict(zip(table.columns, row, strict=True))) for row in zip(*map(_values, batch.columns), strict=True)
            )
    else:
        yield from (dumps(dict(zip(table.columns, row.record.cells, strict=True))) for row in rows)


class EncodingCheck:
    """Finds rows of Parquet with a text, in any column, that is not UTF-8; each batch is asked once."""

    def __init__(self) -> None:
        self._batch: Any = None
        self._faulty = False

    def problem(self, record: Record) -> str:
        """Return what is wrong with a row, if it is of Parquet and so."""
        if type(record.original) is not ArrowRow:
            return ""
        batch, row, _ = record.original
        if batch is not self._batch:
            self._batch, self._faulty = batch, not _is_valid(batch)
        faulty = (name for name in batch.schema.names if not _is_text(batch.column(name).slice(row, 1))) if self._faulty else ()
        return next((f"not UTF-8 in the column {name!r:.60}" for name in faulty), "")


def arrow_batches(rows: Sequence[LabelledRow]) -> Iterator[Any]:
    """Yield rows of Parquet as batches with the types of the file."""
    for _, group in groupby(rows, key=lambda row: id(row.record.original.batch)):
        places = [row.record.original for row in group]
        batch, first, last = places[0].batch, places[0].row, places[-1].row
        together = last - first == len(places) - 1
        yield batch.slice(first, len(places)) if together else batch.take([place.row for place in places])


def dumps(value: Any) -> str:  # noqa: ANN401 - of any type that a table has
    """Return a value as JSON on one line: dates and the like as texts, and null for a number that is none."""
    try:
        return on_one_line(json.dumps(value, ensure_ascii=False, allow_nan=False, default=_as_text))
    except ValueError:
        return on_one_line(json.dumps(_finite(value), ensure_ascii=False, default=_as_text))


def _is_valid(batch: Any) -> bool:  # noqa: ANN401
    try:
        batch.validate(full=True)
    except ValueError:
        return False
    return True


def _is_text(column: Any) -> bool:  # noqa: ANN401
    try:
        _values(column)
    except UnicodeDecodeError:
        return False
    return True


def _values(column: Any) -> list[Any]:  # noqa: ANN401
    """Return the values of a column as Python has them, or as texts: times may be finer, or much later."""
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        raise
    except _UNTOLD:
        return [_value(scalar) for scalar in column]


def _value(scalar: Any) -> Any:  # noqa: ANN401
    try:
        return scalar.as_py()
    except _UNTOLD:
        if isinstance(scalar, Mapping):
            return {name: _value(each) for name, each in scalar.items()}
        inner = getattr(scalar, "values", None)
        return _written(scalar) if inner is None else [_value(each) for each in inner]


def _written(scalar: Any) -> str:  # noqa: ANN401
    """Return a time as Arrow writes it, in UTC where its zone is not known here."""
    try:
        return scalar.cast("string").as_py()  # type: ignore[no-any-return]
    except ValueError:
        return f"{scalar.cast('int64').cast(f'timestamp[{scalar.type.unit}]').cast('string').as_py()}Z"


def _cell(value: Any) -> str | None:  # noqa: ANN401
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, WrittenFloat):
        return value.text
    return _as_text(value) if not isinstance(value, bool | int | float | list | dict) else json.dumps(value, default=_as_text)


def _as_text(value: object) -> str:
    """Return a value as a text; of bytes that are none, Base64."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _finite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
