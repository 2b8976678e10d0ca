"""Tables of pandas, polars and Arrow: their texts, and the same table with the answers added. None is imported to know it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from sentiment_edge_runtimes.errors import InputError, OptionError, TextError, raise_first
from sentiment_edge_runtimes.inputs.live import READ_AHEAD
from sentiment_edge_runtimes.inputs.texts import as_text, is_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sentiment_edge_runtimes.inputs.live import Answer
    from sentiment_edge_runtimes.prediction import Prediction
    from sentiment_edge_runtimes.vocabulary import OnError

Table = TypeVar("Table")
Library = Literal["pandas", "polars", "pyarrow"]


class _Columns(NamedTuple):
    """The answers to a table, by row."""

    label: list[str | None]
    score: list[float | None]
    truncated: list[bool]


def add_answers(table: Table, column: str, answer: Answer, on_error: OnError) -> Table:
    """Return the table with the columns label, score and truncated; a row without a text has no label and no score.

    Raises:
        OptionError: the table has no such column, or several.
        InputError: it is no table known here, or a row holds something else than a text; the message names its position.
        TextError: a text cannot be answered, and `on_error` is `raise`; the position is the row.
    """
    library, known = _known(table)
    names = [*(known.column_names if library == "pyarrow" else known.columns)]
    if names.count(column) != 1:
        raise OptionError(
            "column", f"{names.count(column)} columns of this table are named {column!r}; it has {_listed(names)}"
        )
    results = list(_results(_texts(known[column]), answer))
    columns = _columns(raise_first(results) if on_error == "raise" else results)
    with_columns: Table = _with_columns(library, known, free_names(columns._fields, names), columns)
    return with_columns


def free_names(wanted: Sequence[str], taken: Collection[object]) -> list[str]:
    """Return the names of new columns: `predicted_label` where `label` is taken."""
    free = []
    for name in wanted:
        while name in taken:
            name = f"predicted_{name}"  # noqa: PLW2901 - until it is free
        free.append(name)
    return free


def _known(table: Any) -> tuple[Library, Any]:  # noqa: ANN401 - of any library
    """Return the table's library, and the table: one of pyarrow's, if its own is another that speaks Arrow's interface."""
    origins = {kind.__module__.partition(".")[0] for kind in type(table).__mro__}
    if "pandas" in origins and hasattr(table, "assign"):
        return "pandas", table
    if "polars" in origins and hasattr(table, "with_columns") and hasattr(table, "get_column"):
        return "polars", table
    if "pyarrow" in origins and hasattr(table, "append_column"):
        return "pyarrow", table
    name = type(table).__name__
    if not hasattr(table, "__arrow_c_stream__"):
        more = "call its collect() first" if hasattr(table, "collect") else "pass a table of pandas, polars or pyarrow"
        raise InputError(f"not a table that table() knows ({name}): {more}")
    if find_spec("pyarrow") is None:
        raise InputError(f"a table by Arrow's interface ({name}) needs pyarrow: pip install pyarrow")
    try:
        return "pyarrow", import_module("pyarrow").table(table)
    except (TypeError, ValueError) as error:  # a column's stream
        raise InputError(f"not a table that table() knows ({name}): pass a table of pandas, polars or pyarrow") from error


def _listed(names: Sequence[object]) -> str:
    return f"{', '.join(map(str, names)):.200}" if names else "none"


def _texts(column: Iterable[Any]) -> Iterator[str | None]:
    """Yield each row's text, None where it is missing."""
    for row, item in enumerate(column):
        value = item.as_py() if hasattr(item, "as_py") else item
        yield None if is_missing(value) else as_text(value, row)


def _results(rows: Iterator[str | None], answer: Answer) -> Iterator[Prediction | TextError | None]:
    """Yield the answer to each row's text, None where it has none, many at a time."""
    texts = list(rows)
    for start in range(0, len(texts), READ_AHEAD):
        chunk = texts[start : start + READ_AHEAD]
        answers = iter(answer([text for text in chunk if text is not None]))
        yield from (None if text is None else next(answers) for text in chunk)


def _columns(results: Sequence[Prediction | TextError | None]) -> _Columns:
    predictions = [None if isinstance(result, TextError) else result for result in results]
    return _Columns(
        [None if each is None else each.label for each in predictions],
        [None if each is None else each.score for each in predictions],
        [each is not None and each.truncated for each in predictions],
    )


def _with_columns(library: Library, table: Any, names: Sequence[str], columns: _Columns) -> Any:  # noqa: ANN401
    if library == "pandas":
        import numpy as np  # noqa: PLC0415 - pandas has imported it

        label = np.array(columns.label, dtype=object)
        score = np.array(columns.score, dtype=np.float64)
        return table.assign(**dict(zip(names, (label, score, np.array(columns.truncated, dtype=bool)), strict=True)))
    if library == "polars":
        series = import_module("polars").Series
        kinds = zip(names, columns, (str, float, bool), strict=True)
        return table.with_columns([series(name, values, dtype=kind) for name, values, kind in kinds])
    arrow = import_module("pyarrow")
    for name, values, kind in zip(names, columns, (arrow.string(), arrow.float64(), arrow.bool_()), strict=True):
        table = table.append_column(name, arrow.array(values, kind))
    return table
