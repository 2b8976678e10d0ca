"""The words of a text by its own characters, whatever a tokenizer makes of them."""

from __future__ import annotations

import re
from unicodedata import category, name

_SPACE, _LETTER, _UNSPACED, _MARK, _JOINER, _APOSTROPHE, _FLAG, _SIGN = " wumjqfs"
_BELONGING = _MARK, _JOINER
"""Kinds that belong to the character before them."""
_UNSPACED_SCRIPTS = ("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""How Unicode's names of letters begin where no space ends a word."""
_KINDS = {
    "'": _APOSTROPHE,
    "\N{RIGHT SINGLE QUOTATION MARK}": _APOSTROPHE,
    "\N{ZERO WIDTH JOINER}": _JOINER,
    "_": _LETTER,
    **dict.fromkeys(map(chr, range(0x1F1E6, 0x1F200)), _FLAG),  # two of them are a flag
    **dict.fromkeys(map(chr, range(0x1F3FB, 0x1F400)), _MARK),  # skin tones
}
_WORD = re.compile("w[wmj]*(?:qw[wmj]*)*|ff|[^ ][mj]*(?:(?<=j)s[mj]*)*")
"""Over the kinds of characters: letters with apostrophes between them; a flag; any other character with what belongs to it."""


def find_words(text: str) -> list[tuple[int, int]]:
    """Return where each word begins and ends, in order: every character but white space is in one of them.

    A word is a run of letters and digits with apostrophes between them. Where a script puts no spaces between its words, each
    letter counts as one, and so does every other character: a punctuation mark, an emoji. Accents, skin tones and what a joiner
    joins belong to the character before them.
    """
    return [found.span() for found in _WORD.finditer("".join(map(_kind, text)))]


def marks_end(text: str, start: int) -> int:
    """Return where the accents and other marks end that stand at a place, which is the place itself if none does."""
    return next((place for place in range(start, len(text)) if _kind(text[place]) not in _BELONGING), max(start, len(text)))


def _kind(character: str) -> str:
    if (known := _KINDS.get(character)) is not None:
        return known
    if character.isspace():
        return _SPACE
    if character.isalnum():
        return _UNSPACED if not character.isascii() and name(character, "").startswith(_UNSPACED_SCRIPTS) else _LETTER
    return _MARK if category(character) in {"Mn", "Mc", "Me", "Cf"} else _SIGN
