"""The format of the output and its writer, whose module is imported when it is needed: lines start faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.labelling.writers.lines import FORMATS, LineRecords
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge.data.tables.record import Table
    from sentiment_edge.labelling.output.sink import Sink
    from sentiment_edge.labelling.row import OutputFormat, RowWriter


def choose_format(asked: OutputFormat | None, table: Table) -> OutputFormat:
    """Return the format that was asked for; a table comes out in its own, lines as tsv."""
    if asked is not None:
        return asked
    return "tsv" if table.format == "lines" else table.format


def choose_writer(form: OutputFormat, table: Table, sink: Sink, labels: Sequence[str]) -> RowWriter:
    """Return the writer of rows like those of a table.

    Raises:
        InputError: the format cannot hold the table, or the sink not the format.
        MissingExtra: the format needs a library that is not installed.
    """
    if form == "parquet":
        if sink.is_terminal:
            raise InputError("Parquet is nothing for a terminal; name a file by `output`, or choose `format` csv")
        from sentiment_edge.labelling.writers.parquet import Parquet  # noqa: PLC0415 - see above

        return Parquet(table, sink, labels)
    if table.format == "lines" and form in FORMATS:
        return LineRecords(form, sink.put)
    if form in {"json", "jsonl"}:
        from sentiment_edge.labelling.writers.json_objects import JsonObjects  # noqa: PLC0415 - see above

        return JsonObjects(form, table, sink.put)
    from sentiment_edge.labelling.writers.delimited import Delimited  # noqa: PLC0415 - see above

    return Delimited(form, table, sink.put)
