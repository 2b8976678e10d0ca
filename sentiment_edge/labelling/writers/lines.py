"""Labelled lines as records of one line each: label, score and text."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from sentiment_edge.labelling.writers.escapes import as_json, as_spaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentiment_edge.data.tables.record import Record, Table
    from sentiment_edge.labelling.row import LabelledRow, OutputFormat
    from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction

    Answer = Prediction | FailedPrediction | None


class LineRecords:
    """Writes labelled lines."""

    def __init__(self, form: OutputFormat, put: Callable[[str], None]) -> None:
        self._format = FORMATS[form]
        self._header = HEADERS[form]
        self._put = put

    def begin(self, *, fresh: bool) -> None:
        """Write the header, if the format has one."""
        if fresh and self._header:
            self._put(self._header)

    def problem(self, record: Record) -> str:  # noqa: ARG002 - of the protocol
        """Return nothing: any line can be written."""
        return ""

    def write(self, table: Table, rows: Sequence[LabelledRow]) -> None:  # noqa: ARG002 - of the protocol
        """Write a record for each line."""
        for row in rows:
            self._put(self._format(row.text, row.answer))

    def end(self) -> None:
        """Write nothing."""

    def remarks(self) -> Iterator[str]:
        """Yield nothing."""
        yield from ()


def format_tsv(text: str, answer: Answer) -> str:
    """Return label, score and text, separated by tabs; without a label, label and score are empty."""
    label, score = label_and_score(answer)
    return f"{as_spaces(label)}\t{score}\t{as_spaces(text)}\n"


def format_csv(text: str, answer: Answer) -> str:
    """Return label, score and text as a csv row after RFC 4180, but ended by a line feed alone."""
    row = io.StringIO()
    csv.writer(row).writerow([*label_and_score(answer), text])
    return row.getvalue().removesuffix("\r\n") + "\n"


def format_jsonl(text: str, answer: Answer) -> str:
    """Return a JSON object with all scores, unrounded, and the `error` of a text that could not be answered."""
    record: dict[str, Any] = {"text": text, "label": None, "score": None, "scores": {}}
    if answer is not None:
        entries = answer.to_dict()
        truncated = entries.pop("truncated")
        record |= entries | ({"truncated": True} if truncated else {})
    return f"{as_json(record)}\n"


def label_and_score(answer: Answer) -> tuple[str, str]:
    """Return label and score as texts, empty where there is none."""
    if answer is None or answer.label is None:
        return "", ""
    return answer.label, f"{answer.score:.4f}"


FORMATS: dict[OutputFormat, Callable[[str, Answer], str]] = {
    "tsv": format_tsv,
    "jsonl": format_jsonl,
    "csv": format_csv,
}
HEADERS: dict[OutputFormat, str] = {"tsv": "", "jsonl": "", "csv": "label,score,text\n"}
