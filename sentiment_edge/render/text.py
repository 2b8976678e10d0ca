"""Names and numbers as a terminal shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTED, _LISTED_WIDTH = 8, 40
"""How many names one line holds, and how many characters of each."""


def number(value: float | None, digits: int, sign: str = "") -> str:
    """Return a figure with so many digits after the point; a dash for none."""
    return "-" if value is None else f"{value:{sign}.{digits}f}"


def plain(text: str, width: int) -> str:
    """Return text on one line of at most so many characters, without what a terminal would obey."""
    shown = "".join(character if character.isprintable() else " " for character in text[: width + 1])
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def listed(names: Sequence[str]) -> str:
    """Return names on one line, of many the first."""
    more = f", and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(plain(name, _LISTED_WIDTH) for name in names[:_LISTED]) + more
