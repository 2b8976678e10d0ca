"""One prediction as one line of output."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Literal

from sentiment_edge.render.text import JOINERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction

RecordFormat = Literal["tsv", "jsonl", "csv"]

_LINE_ENDS = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
"""Characters that some tool takes for the end of a line."""
_TO_SPACES = str.maketrans(dict.fromkeys("\t" + _LINE_ENDS, " "))
_TO_ESCAPES = str.maketrans({end: f"\\u{ord(end):04x}" for end in _LINE_ENDS})


def format_tsv(text: str, prediction: Prediction | FailedPrediction | None) -> str:
    """Return label, score and text, separated by tabs; without a label, label and score are empty."""
    label, score = _label_and_score(prediction)
    return f"{label.translate(_TO_SPACES)}\t{score}\t{text.translate(_TO_SPACES)}\n"


def format_csv(text: str, prediction: Prediction | FailedPrediction | None) -> str:
    """Return label, score and text as a csv row after RFC 4180, but ended by a line feed alone."""
    row = io.StringIO()
    csv.writer(row).writerow([*_label_and_score(prediction), text])
    return row.getvalue().removesuffix("\r\n") + "\n"


def format_jsonl(text: str, prediction: Prediction | FailedPrediction | None) -> str:
    """Return a JSON object with all scores, unrounded, and the `error` of a text that could not be answered."""
    record: dict[str, Any] = {"text": text, "label": None, "score": None, "scores": {}}
    if prediction is not None:
        entries = prediction.to_dict()
        truncated = entries.pop("truncated")
        record |= entries | ({"truncated": True} if truncated else {})
    return json.dumps(record, ensure_ascii=False, allow_nan=False).translate(_TO_ESCAPES) + "\n"


def for_terminal(record: str) -> str:
    r"""Return a record with an escape such as `\u001b` for each character but tabs that a terminal would obey, not show.

    JSON means the same by it.
    """
    if record.isprintable():
        return record
    return "".join(character if _is_shown(character) else _escaped(character) for character in record[:-1]) + record[-1:]


FORMATS: dict[RecordFormat, Callable[[str, Prediction | FailedPrediction | None], str]] = {
    "tsv": format_tsv,
    "jsonl": format_jsonl,
    "csv": format_csv,
}
HEADERS: dict[RecordFormat, str] = {"tsv": "", "jsonl": "", "csv": "label,score,text\n"}


def _label_and_score(prediction: Prediction | FailedPrediction | None) -> tuple[str, str]:
    if prediction is None or prediction.label is None:
        return "", ""
    return prediction.label, f"{prediction.score:.4f}"


def _is_shown(character: str) -> bool:
    return character.isprintable() or character == "\t" or character in JOINERS


def _escaped(character: str) -> str:
    """Return JSON's escape: one of a pair of them for what lies beyond U+FFFF."""
    return json.dumps(character)[1:-1]
