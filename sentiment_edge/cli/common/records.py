"""One prediction as one line of output."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge_runtimes.prediction import Prediction

RecordFormat = Literal["tsv", "jsonl", "csv"]

_LINE_ENDS = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
"""Characters that some tool takes for the end of a line."""
_TO_SPACES = str.maketrans(dict.fromkeys("\t" + _LINE_ENDS, " "))
_TO_ESCAPES = str.maketrans({end: f"\\u{ord(end):04x}" for end in _LINE_ENDS})


def format_tsv(text: str, prediction: Prediction | None) -> str:
    """Return label, score and text, separated by tabs; without a prediction, label and score are empty."""
    label, score = _label_and_score(prediction)
    return f"{label.translate(_TO_SPACES)}\t{score}\t{text.translate(_TO_SPACES)}\n"


def format_csv(text: str, prediction: Prediction | None) -> str:
    """Return label, score and text as a csv row after RFC 4180, but ended by a line feed alone."""
    row = io.StringIO()
    csv.writer(row).writerow([*_label_and_score(prediction), text])
    return row.getvalue().removesuffix("\r\n") + "\n"


def format_jsonl(text: str, prediction: Prediction | None) -> str:
    """Return a JSON object with all scores, unrounded."""
    record: dict[str, Any] = {"text": text, "label": None, "score": None, "scores": {}}
    if prediction is not None:
        record.update(label=prediction.label, score=prediction.score, scores=prediction.scores)
        if prediction.truncated:
            record["truncated"] = True
    return json.dumps(record, ensure_ascii=False).translate(_TO_ESCAPES) + "\n"


FORMATS: dict[RecordFormat, Callable[[str, Prediction | None], str]] = {
    "tsv": format_tsv,
    "jsonl": format_jsonl,
    "csv": format_csv,
}
HEADERS: dict[RecordFormat, str] = {"tsv": "", "jsonl": "", "csv": "label,score,text\n"}


def _label_and_score(prediction: Prediction | None) -> tuple[str, str]:
    return ("", "") if prediction is None else (prediction.label, f"{prediction.score:.4f}")
