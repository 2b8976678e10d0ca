"""Plain sentences about things and people, put together at random: praise, blame, negations, comparisons, questions, facts."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PRAISE, BLAME, FACT = 1, -1, 0
_LISTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_FRAMES = {PRAISE: _LISTS["sentences"]["praise"], BLAME: _LISTS["sentences"]["blame"], FACT: _LISTS["sentences"]["fact"]}
_WORDS = _LISTS["words"]
_TWO, _LOWER = 0.25, 0.2
"""Shares of sentences that another follows, and that are written without capitals."""


def write_sentences(count: int, seed: int) -> Iterator[tuple[str, int]]:
    """Yield sentences, and of each whether it is praise, blame or a fact."""
    chance = random.Random(seed)
    for _ in range(count):
        kind = chance.choice((PRAISE, BLAME, FACT))
        text = _written(kind, chance)
        if kind != FACT and chance.random() < _TWO:
            text = f"{text} {_written(chance.choice((kind, FACT)), chance)}"
        if chance.random() < _LOWER:
            text = text.lower().rstrip(".")
        yield text, kind


def _written(kind: int, chance: random.Random) -> str:
    frame = chance.choice(_FRAMES[kind])
    text = frame
    while "{" in text:
        text = re.sub(r"\{(\w+)\}", lambda slot: chance.choice(_WORDS[slot[1]]), text)
    text = re.sub(r"\b([Aa]) (?=[aeio]|u(?!s))", r"\1n ", " ".join(text.split()))
    return text[:1].upper() + text[1:]
