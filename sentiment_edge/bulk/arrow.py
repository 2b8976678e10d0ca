"""An Arrow array of texts, labelled: the column that every engine over Arrow can compute. Needs the extra `parquet`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.extras import needs_extra
from sentiment_edge_runtimes.errors import InputError, TextError, check_choice
from sentiment_edge_runtimes.vocabulary import ON_ERROR

with needs_extra("parquet"):
    import pyarrow as pa
    from pyarrow import types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction
    from sentiment_edge_runtimes.vocabulary import OnError

__all__ = ["answer_type", "label"]

_ROWS = 8192
"""Rows that are labelled together: enough to fill batches of texts of like length, few enough for flat memory."""


def answer_type(labels: Sequence[str]) -> pa.StructType:
    """Return the type of an answer, a struct: label, score, scores (a struct of a float64 for each label), truncated, error.

    Args:
        labels: the classifier's.
    """
    scores = pa.struct([pa.field(label, pa.float64()) for label in labels])
    kinds = {"label": pa.string(), "score": pa.float64(), "scores": scores, "truncated": pa.bool_(), "error": pa.string()}
    return pa.struct([pa.field(name, kind) for name, kind in kinds.items()])


def label(
    classifier: Classifier, texts: pa.Array | pa.ChunkedArray, *, on_error: OnError = "raise"
) -> pa.StructArray | pa.ChunkedArray:
    """Return the answers to texts, of the type `answer_type(classifier.labels)`, chunked if the texts are.

    A null and a blank text have null for an answer.

    Args:
        classifier: the classifier.
        texts: an array or a chunked array of pyarrow, or what gives one by Arrow's interface, such as a polars Series: of
            strings (with offsets of 32 or 64 bits, as views, or a dictionary of them) or of nulls.
        on_error: `raise` the error of a text that cannot be answered, or `return` it as `error`, beside nulls.

    Raises:
        InputError: these are no strings, or one is not UTF-8; the message names its row.
        TextError: a text cannot be answered; the position is its row.
        EngineError: the engine failed.
    """
    check_choice("on_error", on_error, ON_ERROR)
    array = _as_array(texts)
    kind = answer_type(classifier.labels)
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    answered, row = [], 0
    for chunk in chunks:
        parts = []
        for start in range(0, len(chunk), _ROWS):
            part = chunk[start : start + _ROWS]
            parts.append(_as_struct(_answers(classifier, part, on_error, row), kind))
            row += len(part)
        answered.append(pa.concat_arrays(parts) if parts else pa.array([], kind))
    return pa.chunked_array(answered, kind) if isinstance(array, pa.ChunkedArray) else answered[0]


def check_strings(kind: pa.DataType) -> None:
    """Refuse a column of something else than strings or nulls.

    Raises:
        InputError: it is one.
    """
    values = kind.value_type if types.is_dictionary(kind) else kind
    if not any(is_kind(values) for is_kind in (types.is_string, types.is_large_string, types.is_string_view, types.is_null)):
        raise InputError(f"texts are a column of {kind}, not of strings: pass the column that holds the texts")


def _as_array(texts: object) -> pa.Array | pa.ChunkedArray:
    """Return an array of strings, or of nulls."""
    array: pa.Array | pa.ChunkedArray = texts
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        if hasattr(texts, "__arrow_c_stream__"):
            array = pa.chunked_array(texts)
        elif hasattr(texts, "__arrow_c_array__"):
            array = pa.array(texts)
        else:
            raise InputError(f"texts are no Arrow array ({type(texts).__name__}): pass one, such as `pyarrow.array(texts)`")
    check_strings(array.type)
    return array


def _answers(
    classifier: Classifier,
    texts: pa.Array,
    on_error: OnError,
    first_row: int,
) -> list[Prediction | FailedPrediction | None]:
    rows = [text if text and not text.isspace() else None for text in _strings(texts, first_row)]
    wanted = [text for text in rows if text is not None]
    answers = iter(classifier(wanted, on_error="return") if wanted else ())
    placed = [None if text is None else next(answers) for text in rows]
    if on_error == "raise":
        for row, answer in enumerate(placed, first_row):
            if answer is not None and answer.label is None:
                raise TextError(answer.error, row)
    return placed


def _strings(texts: pa.Array, first_row: int) -> list[str | None]:
    try:
        rows: list[str | None] = texts.to_pylist()
    except UnicodeDecodeError:
        rows = [_string(text, row) for row, text in enumerate(texts, first_row)]
    return rows


def _string(text: pa.Scalar, row: int) -> str | None:
    try:
        value: str | None = text.as_py()
    except UnicodeDecodeError:
        raise InputError(f"texts[{row}]: this text is not UTF-8; read its source in the right encoding, or drop it") from None
    return value


def _as_struct(answers: Sequence[Prediction | FailedPrediction | None], kind: pa.StructType) -> pa.StructArray:
    predictions = [None if answer is None or answer.label is None else answer for answer in answers]
    failures = [getattr(answer, "error", None) for answer in answers]
    scores = kind.field("scores").type
    columns = [
        pa.array([each and each.label for each in predictions], pa.string()),
        pa.array([each and each.score for each in predictions], pa.float64()),
        pa.array([each and each.scores for each in predictions], scores),
        pa.array([each is not None and each.truncated for each in predictions], pa.bool_()),
        pa.array(failures, pa.string()),
    ]
    return pa.StructArray.from_arrays(
        columns, fields=[*kind], mask=pa.array([answer is None for answer in answers], pa.bool_())
    )
