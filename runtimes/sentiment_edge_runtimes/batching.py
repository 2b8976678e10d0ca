"""Which texts run together, and padded to what."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MAX_ROWS = 16
MAX_TOKENS = 1024
"""Bounds on one batch: what it holds in memory, and how long an answer can be kept waiting; more gains nothing."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts to run together."""

    rows: tuple[int, ...]
    """Which texts, by position."""
    length: int
    """Tokens to pad each of them to."""


def padded_length(count: int, lengths: Sequence[int]) -> int:
    """Return the least of the ascending `lengths` that so many tokens fit."""
    return lengths[bisect_left(lengths, count)]


def plan(counts: Sequence[int], lengths: Sequence[int], fixed_rows: int | None = None) -> Iterator[Batch]:
    """Group texts by length, so that little padding is computed; the longest first, so that workers end together.

    Args:
        counts: tokens of each text, none above the last of `lengths`.
        lengths: what a batch may be padded to, ascending.
        fixed_rows: the only number of rows that the model takes, where there is one.
    """
    fitting = [padded_length(count, lengths) for count in counts]
    order = sorted(range(len(counts)), key=counts.__getitem__, reverse=True)
    for length, rows in groupby(order, key=fitting.__getitem__):
        limit = fixed_rows or max(1, min(MAX_ROWS, MAX_TOKENS // length))
        while batch := tuple(islice(rows, limit)):
            yield Batch(batch, length)


def pad(
    token_ids: Sequence[Sequence[int]], length: int, pad_id: int, fixed_rows: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ids and mask, int64 [rows, length], padded on the right; rows beyond the texts repeat the first one."""
    token_ids = [*token_ids, *[token_ids[0]] * ((fixed_rows or 0) - len(token_ids))]
    input_ids = np.full((len(token_ids), length), pad_id, dtype=np.int64)
    attention_mask = np.zeros_like(input_ids)
    for row, ids in enumerate(token_ids):
        input_ids[row, : len(ids)] = ids
        attention_mask[row, : len(ids)] = 1
    return input_ids, attention_mask
