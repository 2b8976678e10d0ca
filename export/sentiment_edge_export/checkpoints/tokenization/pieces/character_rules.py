"""SentencePiece's map of characters as a chain of normalizers that gives the same text.

SentencePiece replaces, from the left, the longest sequence that the map has. The library's own normalizer for such maps takes
what the eye sees as one character at a time, and of a short one drops all but the beginning: `é` of two characters keeps its
accent there only by luck, Korean of single letters stays so. So here every character that may join the one before is first
held apart, by one mark where the map joins it and by another where it does not; the map then sees single characters;
and the first marks go before letters and accents are composed, the second after.
"""

from __future__ import annotations

import base64
import unicodedata
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from tokenizers import Regex
from tokenizers.normalizers import NFC, Normalizer, Precompiled, Replace, Sequence

from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import replaced_sequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

APART, JOINED = "\U000e0f00", "\U000e0f01"
"""Marks between characters: these code points are reserved, and end whatever the eye sees as one character."""
PRIVATE = "\U000e0f00-\U000e0fff"
"""Code points that the chain uses for itself; all have the properties of the marks."""
FOREIGN = "\U000e0eff"
"""Stands for one of these in a text: as unknown to every model as it."""
_JOINING = {"Mn", "Mc", "Me", "Cf", "Cn"}
"""Categories of characters that may join the one before; unassigned ones may in a later Unicode."""
_PLANES = range(0x20000), range(0xE0000, 0xE1000)
"""Code points among which there are, or may be in a later Unicode, such characters."""
_MOST_EXCEPTIONS = 64
_BETWEEN = "\0"
"""Stands between sequences that are looked at together: no map has it."""
_HELD, _MOST_HELD = 0xE0F02, 8
"""Code points of characters that the map must not see."""


class NotExact(ValueError):
    """A map that no chain of normalizers can follow; the message says which sequence."""


def clear_private() -> Normalizer:
    """Make way for the chain's own marks."""
    return Replace(Regex(f"[{PRIVATE}]"), FOREIGN)


def is_private(text: str) -> bool:
    """Tell whether a text has code points that the chain uses for itself, or the one that stands for them."""
    return any(FOREIGN <= character <= PRIVATE[-1] for character in text)


@lru_cache(maxsize=2)
def character_rules(character_map: str) -> tuple[Normalizer, ...]:
    """Return normalizers that together do what the map does; they expect a text without private code points.

    Raises:
        NotExact: they would not.
    """
    rules = replaced_sequences(character_map)
    several = [key for key in rules if len(key) > 1]
    overlapping = {key[0] for key in several} & {character for key in several for character in key[1:]}
    held = _held(rules, several)
    odd = [
        key
        for key, composed in zip(several, _composed(several, rules, held), strict=True)
        if not overlapping.isdisjoint(key) or (len(key) > 2 and key[:-1] not in rules) or composed != rules[key]  # noqa: PLR2004
    ]
    if len(odd) > _MOST_EXCEPTIONS:
        raise NotExact(f"{odd[0]!a} and {len(odd) - 1} other sequences of its map of characters")
    steps = _chain(character_map, rules, odd, held)
    _prove(Sequence(list(steps)), rules)
    return steps


def _composed(keys: Iterable[str], rules: Mapping[str, str], held: str) -> list[str]:
    """Return what becomes of sequences by their single characters, all but the first kept if `held`, and their composition."""
    single = ("".join([rules.get(key[0], key[0]), *(c if c in held else rules.get(c, c) for c in key[1:])]) for key in keys)
    composed: str = NFC().normalize_str(_BETWEEN.join(single))
    return composed.split(_BETWEEN)


def _held(rules: Mapping[str, str], several: Iterable[str]) -> str:
    """Return the characters that the map replaces alone but composes within sequences, such as the Greek iota below."""
    found = ""
    by_last: dict[str, list[str]] = {}
    for key in several:
        by_last.setdefault(key[-1], []).append(key)
    for last in sorted({*by_last} & {*rules}):
        keys = by_last[last]
        wanted = [rules[key] for key in keys]
        if _composed(keys, rules, found) != wanted == _composed(keys, rules, found + last):
            found += last
    return found[:_MOST_HELD]


def _chain(character_map: str, rules: Mapping[str, str], odd: list[str], held: str) -> tuple[Normalizer, ...]:
    usual = sorted({key for key in rules if len(key) > 1} - {*odd})
    joining = _joining(rules, usual)
    joins = "|".join(_joins(usual)) or "(?!)"
    aside = {character: chr(_HELD + place) for place, character in enumerate(held)}
    return (
        *_exceptions(rules, odd),
        Replace(Regex(f"(?!\\A)(?={joining})(?!{joins})"), APART),
        Replace(Regex(f"(?!\\A)(?<!{APART})(?={joining})"), JOINED),
        *(Replace(JOINED + character, other) for character, other in aside.items()),
        Precompiled(base64.b64decode(character_map)),
        *(Replace(other, character) for character, other in aside.items()),
        Replace(JOINED, ""),
        NFC(),
        Replace(APART, ""),
    )


def _exceptions(rules: Mapping[str, str], odd: list[str]) -> Iterator[Normalizer]:
    """Yield the replacement of sequences one by one; the first step marks their ends, the leftmost and longest first."""
    odd = sorted(odd, key=len, reverse=True)
    if odd:
        yield Replace(Regex(f"(?:{'|'.join(odd)})\\K"), APART)
    for key in odd:
        yield Replace(key + APART, rules[key] + APART)


def _joins(keys: Iterable[str]) -> Iterator[str]:
    """Yield patterns of the places within the sequences."""
    firsts: dict[str, set[str]] = {}
    for key in keys:
        firsts.setdefault(key[1:], set()).add(key[0])
    rests: dict[tuple[str, int], dict[str, set[str]]] = {}
    for rest, starts in firsts.items():
        group = rests.setdefault((characters(starts), len(rest)), {})
        group.setdefault(rest[:-1], set()).add(rest[-1])
    for (starts_of, _), middles in rests.items():
        groups: dict[tuple[str, int], list[str]] = {}
        for middle, ends in middles.items():
            groups.setdefault((characters(ends), len(middle)), []).append(middle)
        for (ends_of, length), together in groups.items():
            middle_of = f"(?:{'|'.join(sorted(together))})" if length > 1 else characters(together) if length else ""
            yield f"(?<={starts_of}{middle_of})(?={ends_of})"


def _joining(rules: Mapping[str, str], usual: Iterable[str]) -> str:
    """Return a class of all characters that may join the one before."""
    found = {part for key in usual for part in key[1:]}
    found |= {
        c for c in map(chr, chain.from_iterable(_PLANES)) if unicodedata.category(c) in _JOINING and c not in (APART, JOINED)
    }
    found |= {key for key, value in rules.items() if len(key) == 1 and value and unicodedata.category(value[0]) in _JOINING}
    found |= {*map(chr, range(0x1160, 0x1200)), *map(chr, range(0x1F3FB, 0x1F400)), "\n", "\uff9e", "\uff9f"}
    return characters(found)


def characters(several: Iterable[str]) -> str:
    """Return a pattern for any one of some characters."""
    runs: list[list[int]] = []
    for code in sorted(map(ord, several)):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "[" + "".join(_shown(first) + (f"-{_shown(last)}" if last > first else "") for first, last in runs) + "]"


def _shown(code: int) -> str:
    return f"\\x{{{code:x}}}"


def _prove(steps: Normalizer, rules: Mapping[str, str]) -> None:
    """Check that every sequence becomes what the map says.

    Raises:
        NotExact: one does not.
    """
    keys = [*rules]
    for begin in range(0, len(keys), 4096):
        part = keys[begin : begin + 4096]
        replaced = steps.normalize_str(_BETWEEN.join(part)).split(_BETWEEN)
        if replaced != [rules[key] for key in part]:
            wrong = next((key for key, text in zip(part, replaced, strict=False) if text != rules[key]), part[0])
            raise NotExact(f"{wrong!a} in its map of characters")
