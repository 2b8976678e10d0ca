"""Weights for the words of a text of any length in a bounded number of runs: first spans, then the words of the strongest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_runtimes.explanation.parts import together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentiment_edge_runtimes.explanation.parts import Part

MOST_WORDS, MOST_SPANS = 64, 32
"""Parts that are weighed in one go at most: so many words or, of a text that has more, so many spans."""
MOST_RUNS = 1 + 3 * MOST_SPANS + MOST_WORDS
"""Runs of the model that an explanation takes at most, for the longest text that any model reads; up to 1,024 words take 97."""
_SENTENCE_ENDS = frozenset(".!?…。।؟\N{FULLWIDTH EXCLAMATION MARK}\N{FULLWIDTH QUESTION MARK}")


def weigh_parts(text: str, words: Sequence[Part], weigh: Callable[[Sequence[Part]], list[float]]) -> list[tuple[Part, float]]:
    """Return the words of a text with their weights, in order; of a long text its spans, the strongest ones word by word.

    Args:
        text: the text.
        words: its words.
        weigh: returns the weights of parts, each of which takes it a run.
    """
    if len(words) <= MOST_WORDS:
        return list(zip(words, weigh(words), strict=True))
    spans = _spans(text, words)
    wholes = [together(span) for span in spans]
    weights = weigh(wholes)
    chosen = _strongest(spans, weights)
    coarse = [(wholes[index], weights[index]) for index in range(len(spans)) if index not in chosen]
    fine = weigh_parts(text, [word for index in sorted(chosen) for word in spans[index]], weigh)
    return sorted([*coarse, *fine])


def _spans(text: str, words: Sequence[Part]) -> list[list[Part]]:
    """Divide many words into at most `MOST_SPANS` spans, at the ends of sentences where they do not become too unequal."""
    least = -(-len(words) // MOST_SPANS)
    spans: list[list[Part]] = [[]]
    for word in words:
        span = spans[-1]
        if len(span) >= 2 * least or (len(span) >= least and text[span[-1].end - 1] in _SENTENCE_ENDS):
            spans.append([])
        spans[-1].append(word)
    return spans


def _strongest(spans: Sequence[Sequence[Part]], weights: Sequence[float]) -> set[int]:
    """Return the spans of the largest weights, above or below 0, whose words can be weighed in one go; one at least."""
    chosen: set[int] = set()
    words = 0
    for index in sorted(range(len(spans)), key=lambda index: -abs(weights[index])):
        words += len(spans[index])
        if chosen and words > MOST_WORDS:
            break
        chosen.add(index)
    return chosen
