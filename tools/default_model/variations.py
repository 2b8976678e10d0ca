"""Texts made from others, as in distillations of BERT into LSTMs (Tang et al., 2019)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tools.default_model.texts import as_written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_WRITTEN = 0.8
"""Share of texts that are varied as people write them, not as the treebank does."""
_CHANGED = 0.15
"""Share of the words of a text that are dropped, masked or replaced."""
_REPLACED = 0.3
"""Share of varied texts in which words are replaced too."""
_JOINED, _MOST_JOINED = 12, 10
"""One text is joined from others for so many; and of so many at most."""
_SHORT = 4
"""A text of fewer words is not cut; a word of no more letters is not misspelled."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def vary(examples: Sequence[str], rounds: int, seed: int) -> Iterator[tuple[str, int | None]]:
    """Yield texts with words dropped, masked, swapped or replaced, the number of each before; and several joined into one."""
    chance = random.Random(seed)
    words = [word for text in examples for word in text.split()]
    for _ in range(rounds):
        for number, text in enumerate(examples):
            parts = as_written(text).split() if chance.random() < _WRITTEN else text.split()
            changed = chance.choice(_CHANGES)(parts, chance)
            yield " ".join(_replace(changed, words, chance) if chance.random() < _REPLACED else changed), number
        for _ in range(len(examples) // _JOINED):
            count = min(2 + int(chance.expovariate(0.4)), _MOST_JOINED)
            yield " ".join(as_written(text) for text in chance.sample(examples, count)), None


def misspell(texts: Sequence[str], share: float, seed: int) -> Iterator[tuple[str, int]]:
    """Yield a share of the texts with one or two words misspelled, and the number of the text each was made of."""
    chance = random.Random(seed)
    for number, text in enumerate(texts):
        words = text.split()
        long = [at for at, word in enumerate(words) if len(word) > _SHORT and word.isalpha()]
        if long and chance.random() < share:
            for at in chance.sample(long, min(len(long), chance.randint(1, 2))):
                words[at] = _mistype(words[at], chance)
            yield " ".join(words), number


def _mistype(word: str, chance: random.Random) -> str:
    """Leave out, double, swap, replace or draw out a letter."""
    at = chance.randrange(1, len(word) - 1)
    before, letter, following, after = word[:at], word[at], word[at + 1], word[at + 2 :]
    another = chance.choice(_LETTERS) + following
    doubled, drawn_out = letter * 2 + following, letter * 3 + following
    return before + chance.choice((following, doubled, following + letter, another, drawn_out)) + after


def _drop(words: list[str], chance: random.Random) -> list[str]:
    return [word for word in words if chance.random() > _CHANGED] or words


def _mask(words: list[str], chance: random.Random) -> list[str]:
    return [word if chance.random() > _CHANGED else "[MASK]" for word in words]


def _swap(words: list[str], chance: random.Random) -> list[str]:
    words = list(words)
    for _ in range(max(1, len(words) // 8)):
        if len(words) > 1:
            at = chance.randrange(len(words) - 1)
            words[at], words[at + 1] = words[at + 1], words[at]
    return words


def _cut(words: list[str], chance: random.Random) -> list[str]:
    if len(words) < _SHORT:
        return words
    length = chance.randint(2, len(words))
    start = chance.randint(0, len(words) - length)
    return words[start : start + length]


def _replace(words: list[str], others: Sequence[str], chance: random.Random) -> list[str]:
    return [chance.choice(others) if chance.random() < _CHANGED else word for word in words]


_CHANGES: tuple[Callable[[list[str], random.Random], list[str]], ...] = (_drop, _mask, _swap, _cut)
