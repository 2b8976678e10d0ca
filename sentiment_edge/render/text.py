"""Names, numbers and tables for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTED, _LISTED_WIDTH = 8, 40
"""The most names on one line, and the most characters of each."""
JOINERS = "\u200c\u200d"
"""Parts of words, as in Persian, and of emoji: invisible, but without effect on what surrounds them."""


def number(value: float | None, digits: int, sign: str = "") -> str:
    """Return a figure with this many digits after the point; a dash for None and for what is not finite."""
    return "-" if value is None or not math.isfinite(value) else f"{value:{sign}.{digits}f}"


def visible(text: str) -> str:
    r"""Return text on one line that no terminal obeys: what is not printable becomes an escape of Python's, such as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character in JOINERS else _escaped(character) for character in text)


def plain(text: str, width: int) -> str:
    """Return text on one line of at most `width` characters, white space as spaces and the rest as `visible` shows it."""
    shown = visible("".join(" " if character.isspace() else character for character in text[: width + 1]))
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def listed(names: Sequence[str]) -> str:
    """Return names on one line; of many, the first and the number of the others."""
    more = f", and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(plain(name, _LISTED_WIDTH) for name in names[:_LISTED]) + more


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a table as lines, cells as `visible` shows them, the first `left` columns aligned left and the others right."""
    shown = [[*map(visible, row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = (
        "  ".join(
            f"{cell:<{width}}" if index < left else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in shown
    )
    return "\n".join(line.rstrip() for line in lines)


def _escaped(character: str) -> str:
    return repr(character)[1:-1]
