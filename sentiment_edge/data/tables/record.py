"""A table as it is read: its columns, its rows, and what a writer needs to give them back as they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from sentiment_edge_runtimes.errors import check_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

InputFormat = Literal["csv", "tsv", "jsonl", "json", "parquet", "lines"]
INPUT_FORMATS: tuple[InputFormat, ...] = get_args(InputFormat)
_ENDINGS: dict[str, InputFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
WANTED = "give csv or tsv with a header, jsonl, a JSON array or Parquet"
"""Advice for messages."""
LONGEST_CELL = 2**22
"""Characters: what an unclosed quotation mark takes in, and far more than a model reads."""


class _NoText(str):
    """An empty cell that is told from others."""

    __slots__ = ()


NO_TEXT = _NoText()
"""The cell of a value that is neither text nor number."""


class ArrowRow(NamedTuple):
    """A row of a Parquet file, where it lies: a writer takes it from there with its types."""

    batch: Any
    """A `pyarrow.RecordBatch`; rows that follow each other share it."""
    row: int
    size: int
    """Bytes, as if all rows of the batch were of one size."""


class WrittenFloat(float):
    """A number of JSON that is not whole, with its written form: 1.10 may be a price, or a version."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number that a text says."""
        number = super().__new__(cls, text)
        number.text = text
        return number


class JsonObject(NamedTuple):
    """A row of jsonl or json."""

    text: str
    """As it is written in the file."""
    value: dict[str, Any]


class Record(NamedTuple):
    """One row of a table."""

    line: int
    """Number of its first line, from 1; in Parquet, which has no lines, of the row."""
    cells: Sequence[str]
    """One for each column; none if there is a problem. It is `NO_TEXT` where JSON and Parquet have another kind of value; in
    Parquet, bytes that are not text have a `MARK`."""
    problem: str = ""
    """The reason why the row cannot be read, if so."""
    original: Any = None
    """The row as it was: in jsonl and json a `JsonObject`, in Parquet an `ArrowRow`, of a faulty line what can be read of it.
    In other formats the cells are all."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """A file's format and encoding, where the user says them instead of letting them be found out."""

    input_format: InputFormat | None = None
    """By default the ending of the name tells, then the content."""
    encoding: str | None = None
    """By default UTF-8, or UTF-16 where the file shows it."""
    plain: bool = False
    """A file that ends in .txt or has no ending, and stdin, are lines; by default their content tells."""
    names: frozenset[str] = frozenset()
    """Columns that the user named: a first line that has one of them is a header."""

    def __post_init__(self) -> None:
        if self.input_format is not None:
            check_choice("input_format", self.input_format, INPUT_FORMATS)


@dataclass(frozen=True, slots=True)
class Table:
    """An opened table."""

    name: str
    """The path as messages show it; `stdin` for that."""
    format: InputFormat
    columns: tuple[str, ...]
    records: Iterator[Record]
    separator: str = ""
    """Between the cells of csv and tsv."""
    quoted: bool = True
    """Cells may be quoted; False for tsv in which a quotation mark is an ordinary character."""
    header: bool = True
    """The columns are named by the file; otherwise the names are `column_1` and so on."""
    encoding: str = "utf-8"
    line_end: str = "\n"
    preface: str = ""
    """The text before the header: a byte order mark, where the file has one or is not UTF-8, so that spreadsheets read what is
    written in UTF-8; and the line that tells Excel the separator."""
    sample: Sequence[Sequence[str]] = field(default=())
    """The first rows of csv and tsv."""
    schema: Any = None
    """Of Parquet, a `pyarrow.Schema`."""
    share: Callable[[], float | None] = lambda: None
    """Returns how much of the file has been read, from 0 to 1; None where its size is not known."""

    @property
    def unit(self) -> str:
        """Return the name of what `Record.line` counts."""
        return "row" if self.format == "parquet" else "line"


def by_ending(ending: str) -> InputFormat | None:
    """Return the format that the ending of a name tells."""
    return _ENDINGS.get(ending)
