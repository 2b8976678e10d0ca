"""The project's own parity texts, of many kinds, so that an export needs no data."""

from __future__ import annotations

from pathlib import Path

_HAND_WRITTEN = Path(__file__).parent / "texts.txt"
_LONG_TEXT = (
    "it was a long day and the film was longer but the good parts were very good and the bad parts were not so bad that "
    "one would leave before the quiet and rather lovely end"
)
_LONG_COUNTS = (20, 33, 50, 66, 90, 120, 126, 127, 200, 500, 2000)
"""Numbers of words in long texts, below and above the maximum lengths of models."""


def parity_texts() -> list[str]:
    """Return the texts: of no words to 2,000, with negation, irony, slang, emoji, other scripts and markup."""
    written = _HAND_WRITTEN.read_text(encoding="utf-8").split("\n")[:-1]
    return ["", " ", "nul \0 byte", "line\r\nend", *written, *(_long(count) for count in _LONG_COUNTS), "x" * 5000]


def _long(count: int) -> str:
    """Return a text with that number of words; texts of different lengths start differently."""
    words = _LONG_TEXT.split()
    return " ".join(words[(count + 7 * index) % len(words)] for index in range(count))
