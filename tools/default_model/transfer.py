"""The texts that the student learns from, and where the answer to each comes from."""

from __future__ import annotations

from itertools import chain, count, repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tools.default_model.products import write_sentences
from tools.default_model.terms import swap_terms
from tools.default_model.texts import as_written, plain
from tools.default_model.variations import misspell, vary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tools.default_model.texts import Example

_ROUNDS = 4
SENTENCES = 120_000
"""Plain sentences that are put together; fewer of them differ."""
_SWAPS = 5
_MISSPELLED = 0.25
_SURE = 1.5
"""The least difference of logits of a sentence that was written as praise or blame."""


class TransferSet(NamedTuple):
    """Texts of three sorts."""

    asked: list[str]
    """These the teacher answers."""
    copies: list[tuple[str, int]]
    """These have the answer of another, whose number stands beside: what differs must not matter."""
    kinds: dict[int, int]
    """By number, what a sentence was written as: 1 praise, -1 blame, 0 a fact."""
    films: NDArray[np.bool_]
    """Of each that is asked, whether it comes from the film reviews."""
    tweets: NDArray[np.bool_]
    """And whether it comes from the tweets; what is joined or written comes from neither."""

    @property
    def texts(self) -> list[str]:
        """Return all of them, in the order of `targets`."""
        return [*self.asked, *(text for text, _ in self.copies)]

    def targets(self, margins: NDArray[np.float32], heat: Mapping[bool, float]) -> NDArray[np.float32]:
        """Return the difference of logits to learn for each of `texts`.

        Where a sentence was written as praise or blame and the teacher does not see that, the one who wrote it is right.

        Args:
            margins: the teacher's, one for each of `asked`.
            heat: the teacher's temperature on film reviews (True) and on tweets (False).
        """
        found = margins.copy()
        found[self.films] /= heat[True]
        found[self.tweets] /= heat[False]
        for number, kind in self.kinds.items():
            found[number] = kind * max(_SURE, kind * float(found[number])) if kind else 0.0
        return np.concatenate([found, found[[number for _, number in self.copies]]])


def make_transfer_set(examples: Sequence[Example], measured: frozenset[str], sentences: int, seed: int) -> TransferSet:
    """Return the training texts as they are and as people write them, what is made of them, and plain sentences.

    Args:
        examples: the training texts.
        measured: plain forms of texts to leave out.
        sentences: how many plain sentences to put together.
        seed: of all that is made at random.
    """
    train = [each.text for each in examples]
    written = [*map(as_written, train)]
    kinds = dict(write_sentences(sentences, seed))
    origins: dict[str, int | None] = {}
    themselves = chain(zip(train, count()), zip(written, count()))
    for text, number in chain(themselves, vary(train, _ROUNDS, seed), zip(kinds, repeat(None))):
        origins.setdefault(text, number)
    asked = [text for text in origins if plain(text) not in measured]
    sources = np.array(["" if (origin := origins[text]) is None else examples[origin].source for text in asked])
    numbers = {text: number for number, text in enumerate(asked)}
    whole = [text for text in dict.fromkeys([*written, *kinds]) if text in numbers]
    changed = [*swap_terms(whole, _SWAPS, seed), *misspell(whole, _MISSPELLED, seed)]
    copies = [(text, numbers[whole[at]]) for text, at in changed if plain(text) not in measured]
    numbered = {numbers[text]: kind for text, kind in kinds.items() if text in numbers}
    return TransferSet(asked, copies, numbered, np.isin(sources, ["sst2", "sst5"]), sources == "tweets")
