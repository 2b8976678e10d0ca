"""JSON that every reader takes: it has no word for what is not a finite number, and control characters are escaped in it."""

from __future__ import annotations

import json
import math


def json_text(answer: object) -> str:
    """Return an answer as indented JSON in ASCII; NaN and infinity, which JSON does not have, become null."""
    return json.dumps(_finite(answer), indent=2, allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value
