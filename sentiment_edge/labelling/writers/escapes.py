"""Characters that would end a record, or that a terminal would obey."""

from __future__ import annotations

import json
from typing import Any

from sentiment_edge.render.text import JOINERS

_LINE_ENDS = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
"""Characters that some tool takes for the end of a line."""
_TO_SPACES = str.maketrans(dict.fromkeys("\t" + _LINE_ENDS, " "))
_TO_ESCAPES = str.maketrans({end: f"\\u{ord(end):04x}" for end in _LINE_ENDS})
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def as_spaces(text: str) -> str:
    """Return a text with a space for each tab and line end."""
    return text if text.isprintable() else text.translate(_TO_SPACES)


def on_one_line(record: str) -> str:
    """Return JSON with the escapes of what some tool takes for a line end."""
    return record if record.isprintable() else record.translate(_TO_ESCAPES)


def as_json(entries: dict[str, Any]) -> str:
    """Return entries as a JSON object on one line."""
    return on_one_line(_encoder.encode(entries))


def for_terminal(record: str) -> str:
    r"""Return a record with an escape such as `\u001b` for each character but tabs that a terminal would obey, not show.

    JSON means the same by it.
    """
    if record.isprintable():
        return record
    return "".join(character if _is_shown(character) else _escaped(character) for character in record[:-1]) + record[-1:]


def _is_shown(character: str) -> bool:
    return character.isprintable() or character == "\t" or character in JOINERS


def _escaped(character: str) -> str:
    """Return JSON's escape: one of a pair of them for what lies beyond U+FFFF."""
    return json.dumps(character)[1:-1]
