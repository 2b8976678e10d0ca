"""Texts to token ids for the contestants that have no tokenizer of their own, and this project's batches of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Ids = NDArray[np.int64]

MAX_LENGTH = 512
GRID = (*range(8, 64, 8), *range(64, 128, 16), *range(128, 256, 32), *range(256, MAX_LENGTH + 1, 64))
"""Lengths for engines to which each new one is a cost."""


class Tokens:
    """A checkpoint's tokenizer."""

    def __init__(self, folder: Path, max_length: int = MAX_LENGTH) -> None:
        self._library = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._library.no_padding()
        self._library.enable_truncation(max_length)

    def one(self, text: str) -> list[int]:
        """Return the ids of a text."""
        ids: list[int] = self._library.encode(text).ids
        return ids

    def many(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [encoding.ids for encoding in self._library.encode_batch_fast(texts)]


def label_each(tokens: Tokens, logits: Callable[[Ids, Ids], NDArray[np.float32]], texts: Sequence[str]) -> list[int]:
    """Return the index of each text's class, one text after the other, as documentations do."""
    labels = []
    for text in texts:
        ids = np.array([tokens.one(text)])
        labels.append(int(logits(ids, np.ones_like(ids)).argmax()))
    return labels


def our_batches(ids: Sequence[list[int]], grid: Sequence[int] | None = None) -> Iterator[tuple[int, ...]]:
    """Yield the positions of the texts that this project runs together; without a grid, any length will do."""
    from sentiment_edge_runtimes.batching import plan  # noqa: PLC0415 - not for a loop over single texts

    for batch in plan([len(each) for each in ids], grid or range(1, MAX_LENGTH + 1)):
        yield batch.rows


def padded(ids: Sequence[list[int]], grid: Sequence[int] | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ids and mask of a batch, padded to the longest text or to a length of a grid."""
    from sentiment_edge_runtimes.batching import pad, padded_length  # noqa: PLC0415

    return pad(ids, padded_length(max(map(len, ids)), grid), 0)
