"""Names, numbers and tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTED, _LISTED_WIDTH = 8, 40
"""The most names on one line, and the most characters of each."""


def number(value: float | None, digits: int, sign: str = "") -> str:
    """Return a figure with this many digits after the point; a dash for None."""
    return "-" if value is None else f"{value:{sign}.{digits}f}"


def plain(text: str, width: int) -> str:
    """Return text on one line of at most `width` characters, without control characters."""
    shown = "".join(character if character.isprintable() else " " for character in text[: width + 1])
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def listed(names: Sequence[str]) -> str:
    """Return names on one line; of many, the first and the number of the others."""
    more = f", and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(plain(name, _LISTED_WIDTH) for name in names[:_LISTED]) + more


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a table as lines, its first `left` columns aligned to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            f"{cell:<{width}}" if index < left else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
