"""The ids that a bundle will read, compared with those of the checkpoint's own tokenizer.

torch and the bundle are both given the bundle's ids, so no comparison of logits can see a fault of the tokenizer.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge_export.checkpoints.tokenization.reference import BEYOND
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.parity.texts import parity_texts
from sentiment_edge_runtimes.tokenization import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
    from sentiment_edge_runtimes.vocabulary import Truncation

_MADE = Path(__file__).parent / "tokenizer_texts.json"
_MOST_ADDED = 256
"""Added tokens to try at most, evenly spaced; a vocabulary may have thousands of unused ones."""
_SHOWN = 8
"""Ids that a message shows of each side, from shortly before the first difference on."""


class TokenDifference(NamedTuple):
    """A kind of difference that does not count against the tokenizer."""

    kind: str
    texts: int
    """The number of texts that have it."""


class TokenizerParity(NamedTuple):
    """The outcome of the comparison: no difference, or only such as are named."""

    reference: str
    """The implementation that the tokenizer was compared with."""
    texts: int
    differences: tuple[TokenDifference, ...] = ()

    def notes(self) -> list[str]:
        """Return a sentence for each difference, for the user."""
        return [
            f"{texts} of {self.texts} texts have other tokens than {self.reference} gives: {kind}"
            for kind, texts in self.differences
            if kind != BEYOND
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the entries of the JSON object."""
        return {**self._asdict(), "differences": [difference._asdict() for difference in self.differences]}


def tokenizer_texts(tokenizer: CheckpointTokenizer) -> list[str]:
    """Return the texts made for tokenizers: letters, spaces and signs of many kinds, and the tokenizer's own added tokens."""
    made: list[str] = json.loads(_MADE.read_text(encoding="utf-8"))
    added = sorted(token.content for token in tokenizer.library.get_added_tokens_decoder().values())
    added = added[:: -(-len(added) // _MOST_ADDED) or 1]
    return [*made, *(text for token in added for text in _with_token(token))]


def _with_token(token: str) -> tuple[str, ...]:
    """Return texts with a token alone, between words, within one, and in other capitals, where only some tokens are found."""
    return token, f"a {token} b", f"the{token}film  {token}", f"{token.lower()} or {token.upper()}"


def compare_tokenizer(
    tokenizer: CheckpointTokenizer, own_texts: Iterable[str], max_length: int, truncation: Truncation
) -> TokenizerParity:
    """Compare the ids that the bundle will read with the reference's, over all parity texts and those made for tokenizers.

    Raises:
        CheckpointError: they differ on a text.
    """
    reference = tokenizer.reference
    texts = [*dict.fromkeys(map(encodable, (*parity_texts(), *own_texts, *tokenizer_texts(tokenizer))))]
    kinds: Counter[str] = Counter()
    for text in texts:
        ids, expected = tokenizer.ids(text, max_length, truncation), _cut(reference.ids, text, max_length, truncation)
        if ids == expected:
            continue
        if kind := reference.named and reference.named(text):
            kinds[kind] += 1
        else:
            raise CheckpointError(f"{tokenizer.source}: {_difference(text, ids, expected, reference.name)}")
    return TokenizerParity(reference.name, len(texts), tuple(TokenDifference(*each) for each in sorted(kinds.items())))


def _cut(ids_of: Callable[[str], list[int]], text: str, max_length: int, truncation: Truncation) -> list[int]:
    """Return the reference's ids of a text, cut as the runtime cuts them."""
    ids = ids_of(text)
    if truncation == "plain" or len(ids) <= max_length:
        return ids[:max_length]
    special, probe = ids_of(""), ids_of("a")
    start = next((place for place, (one, other) in enumerate(zip(special, probe, strict=False)) if one != other), len(special))
    end = special[start:]
    return [*ids[: max_length - len(end)], *end]


def _difference(text: str, ids: list[int], expected: list[int], name: str) -> str:
    """Describe a difference on one line: the text, and both sides' ids around the first that differs."""
    first = next((place for place, (one, other) in enumerate(zip(ids, expected, strict=False)) if one != other), None)
    shown = slice(start := max(0, min(len(ids), len(expected)) if first is None else first - 1), start + _SHOWN)
    return (
        f"the tokenizer reads the text {text!r:.60} in another way than {name}: from token {start} on, {ids[shown]} instead of "
        f"{expected[shown]}; give a tokenizer.json of the tokenizer that the model was trained with by `tokenizer`"
    )
