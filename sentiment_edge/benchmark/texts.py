"""Texts to measure with: the user's lines, or those that a bundle brings."""

from __future__ import annotations

from itertools import chain, cycle, islice
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.bundle import GOLDEN
from sentiment_edge_runtimes.bundle.golden import golden_rows
from sentiment_edge_runtimes.errors import BundleInvalid
from sentiment_edge_runtimes.tokenization import TextTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.bundle import Bundle

_ENOUGH = 256
"""Texts, whose tokens fill the longest length that is measured."""


def golden_texts(bundle: Bundle) -> tuple[str, ...]:
    """Return the texts whose outputs the bundle knows.

    Raises:
        BundleInvalid: it has none.
    """
    texts = tuple(row["text"] for row in golden_rows(bundle))
    if not texts:
        raise BundleInvalid(bundle.root, f"{GOLDEN} has no texts")
    return texts


def sample_ids(bundle: Bundle, texts: Sequence[str], count: int) -> list[int]:
    """Return so many token ids as these texts have them, one after the other."""
    tokens = TextTokenizer(bundle, threads=1).encode(texts[:_ENOUGH])
    return list(islice(cycle(chain.from_iterable(text.ids for text in tokens)), count))


def spread(texts: Sequence[str], count: int) -> list[str]:
    """Return so many of the texts, from all over them; all of them again where there are fewer."""
    if count >= len(texts):
        return list(islice(cycle(texts), count))
    return [texts[index * len(texts) // count] for index in range(count)]
