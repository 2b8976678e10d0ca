"""The values of rows, from whatever format to whatever format."""

from __future__ import annotations

import json
import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.data.tables.record import Table
    from sentiment_edge.labelling.row import LabelledRow


def cells(table: Table, rows: Sequence[LabelledRow]) -> Iterator[Sequence[str | None]]:
    """Yield the cells of each row; None for no value, JSON for what is neither text nor number."""
    if table.format in {"json", "jsonl"}:
        for row in rows:
            yield [_cell(row.record.original.value.get(column)) for column in table.columns]
    elif table.format == "parquet":
        for batch in arrow_batches(rows):
            yield from zip(*([_cell(value) for value in column.to_pylist()] for column in batch.columns), strict=True)
    else:
        yield from (row.record.cells for row in rows)


def objects(table: Table, rows: Sequence[LabelledRow]) -> Iterator[str]:
    """Yield each row as a JSON object: as it was written, where it was written so."""
    if table.format in {"json", "jsonl"}:
        yield from (row.record.original.text for row in rows)
    elif table.format == "parquet":
        yield from (dumps(values) for batch in arrow_batches(rows) for values in batch.to_pylist())
    else:
        yield from (dumps(dict(zip(table.columns, row.record.cells, strict=True))) for row in rows)


def arrow_batches(rows: Sequence[LabelledRow]) -> Iterator[Any]:
    """Yield rows of Parquet as batches with the types of the file."""
    for _, group in groupby(rows, key=lambda row: id(row.record.original.batch)):
        places = [row.record.original for row in group]
        batch, first, last = places[0].batch, places[0].row, places[-1].row
        together = last - first == len(places) - 1
        yield batch.slice(first, len(places)) if together else batch.take([place.row for place in places])


def dumps(value: Any) -> str:  # noqa: ANN401 - of any type that a table has
    """Return a value as JSON: dates and the like as texts, and null for a number that is none."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_as_text)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=_as_text)


def _cell(value: Any) -> str | None:  # noqa: ANN401
    if value is None or isinstance(value, str):
        return value
    return _as_text(value) if not isinstance(value, bool | int | float | list | dict) else json.dumps(value, default=_as_text)


def _as_text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
