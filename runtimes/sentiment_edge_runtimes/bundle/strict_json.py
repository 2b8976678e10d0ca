"""JSON in which no key occurs twice: readers disagree on which of the two counts."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any


def loads(text: str) -> Any:  # noqa: ANN401 - as JSON has it
    """Return what JSON says.

    Raises:
        ValueError: it is not JSON, or a key occurs twice in an object.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise DuplicateKey(f"the key {twice!r:.60} occurs twice")
    return entries


class DuplicateKey(ValueError):
    """A key that occurs twice in one object."""
