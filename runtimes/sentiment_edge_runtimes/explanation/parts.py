"""The parts of a text that get a weight, each with the tokens that the model reads of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.explanation.words import find_words, marks_end

if TYPE_CHECKING:
    from collections.abc import Sequence


class Part(NamedTuple):
    """A part of a text: a word, or several that follow each other."""

    start: int
    end: int
    """It is `text[start:end]`."""
    tokens: tuple[int, ...]
    """The places of its tokens among the text's."""


def read_words(text: str, offsets: Sequence[tuple[int, int]]) -> list[Part]:
    """Return the words of a text that the model reads, in order; together they have every token that covers some of a word.

    Words that share a token count as one, such as the characters of a Chinese word. A word without tokens is not read. Of one
    that is read in part, that part is the word, with the marks that follow it: tokenizers may drop them.

    Args:
        text: the text.
        offsets: the characters that each token covers, none in the case of special tokens.
    """
    words = find_words(text[: marks_end(text, max((end for _, end in offsets), default=0))])
    starts, ends = [start for start, _ in words], [end for _, end in words]
    tokens: list[list[int]] = [[] for _ in words]
    reach = [0] * len(words)
    """The word before which those end that share a token with this one."""
    for place, (start, end) in enumerate(offsets):
        first, after = bisect_right(ends, start), bisect_left(starts, end)
        if start < end and first < after:
            tokens[first].append(place)
            reach[first] = max(reach[first], after)
    groups: list[list[Part]] = []
    until = 0
    for index, (start, end) in enumerate(words):
        if index >= until:
            groups.append([])
        groups[-1].append(Part(start, end, tuple(tokens[index])))
        until = max(until, reach[index])
    return [part for part in map(together, groups) if part.tokens]


def together(parts: Sequence[Part]) -> Part:
    """Return parts that follow each other as one."""
    return Part(parts[0].start, parts[-1].end, tuple(chain.from_iterable(part.tokens for part in parts)))
