"""Texts to measure with: the user's lines, or the golden texts of a bundle."""

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
"""Texts whose tokens are enough for the longest length that is measured."""


def golden_texts(bundle: Bundle) -> tuple[str, ...]:
    """Return the bundle's golden texts, whose outputs it records.

    Raises:
        BundleInvalid: it has none.
    """
    texts = tuple(row["text"] for row in golden_rows(bundle))
    if not texts:
        raise BundleInvalid(bundle.root, f"{GOLDEN} has no texts")
    return texts


def sample_ids(bundle: Bundle, texts: Sequence[str], count: int) -> list[int]:
    """Return `count` token ids of these texts, one text after the other, repeated if they are too few."""
    tokens = TextTokenizer(bundle, threads=1).encode(texts[:_ENOUGH])
    return list(islice(cycle(chain.from_iterable(text.ids for text in tokens)), count))


def spread(texts: Sequence[str], count: int) -> list[str]:
    """Return `count` of the texts at equal distances, or all of them repeated if they are too few."""
    if count >= len(texts):
        return list(islice(cycle(texts), count))
    return [texts[index * len(texts) // count] for index in range(count)]
