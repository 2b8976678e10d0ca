"""The wish of the user: how inputs are read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge.data.tables.record import ReadOptions

if TYPE_CHECKING:
    from sentiment_edge.data.tables.record import InputFormat
    from sentiment_edge.labelling.row import OutputFormat


class LabellingRequest(NamedTuple):
    """The formats and the columns of input and output."""

    text_column: str | None = None
    """The name of the column of texts; None for the only one, or the first of a usual name."""
    input_format: InputFormat | None = None
    """By default found out; so is the encoding. Stdin, and a file that ends in .txt or has no ending, are lines by default."""
    encoding: str | None = None
    output_format: OutputFormat | None = None
    """By default the one of the input; of lines it is tsv."""
    skip_bad: bool = False
    """Leave out rows that cannot be used; by default the first one ends the run."""

    @property
    def read_options(self) -> ReadOptions:
        """Return what is said of the input; what has a named column is a table, whatever its ending."""
        names = frozenset() if self.text_column is None else frozenset([self.text_column])
        return ReadOptions(self.input_format, self.encoding, plain=self.text_column is None, names=names)
