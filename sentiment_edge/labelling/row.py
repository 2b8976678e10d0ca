"""A labelled row, and what each format of output does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.data.tables.record import Record, Table
    from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction

OutputFormat = Literal["tsv", "jsonl", "csv", "json", "parquet"]


class LabelledRow(NamedTuple):
    """A row of the input with the answer to its text."""

    record: Record
    text: str
    answer: Prediction | FailedPrediction | None
    """None for a blank text."""


class RowWriter(Protocol):
    """Writes labelled rows in one format."""

    def begin(self, *, fresh: bool) -> None:
        """Start; write what comes before the rows if the output is `fresh`."""

    def problem(self, record: Record) -> str:
        """Return the reason why this row cannot be written, if so."""

    def write(self, table: Table, rows: Sequence[LabelledRow]) -> None:
        """Write rows, of a table that has the columns of the first."""

    def end(self) -> None:
        """Write what comes after the rows."""

    def remarks(self) -> Iterator[str]:
        """Yield what the user should know of the output."""
