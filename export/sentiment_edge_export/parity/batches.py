"""The batches that the gate runs a bundle in: none that the runtime would not make, and none that takes too much memory."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.batching import MAX_ROWS, Batch, padded_length, plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_ATTENTION_BYTES = 2 * 2**30
"""The memory that attention may take while the gate runs: what a machine that exports models has beside the model itself."""
_SCORES_ALIVE = 3
"""Sizes of one attention's scores, float32 [rows, heads, length, length], that are in memory at once: torch's eager attention
holds two, and a third where it adds a bias; in an engine's graph in parts they are no more."""
_SCORE_BYTES = 4
_EVERY_LENGTH = 512
"""The length up to which each length gets several texts; a longer one may get only one, as it takes as long as many."""
_TEXTS_PER_LENGTH = 80
"""For each so many texts that are measured, a length gets one at least: three of the project's own."""


def longest_within(lengths: Sequence[int], heads: int, rows: int) -> int:
    """Return the longest of the ascending lengths whose attention fits into the memory for it; the first one if none does."""
    most = MOST_ATTENTION_BYTES // (_SCORES_ALIVE * _SCORE_BYTES * max(1, heads) * rows)
    return lengths[max(1, bisect_right(lengths, most, key=lambda length: length**2)) - 1]


def alone(counts: Sequence[int], grid: Sequence[int] | None) -> Iterator[Batch]:
    """Yield a batch for each text, the longest first: what an engine keeps of its memory then suffices for all that follow."""
    for row in sorted(range(len(counts)), key=counts.__getitem__, reverse=True):
        yield Batch((row,), padded_length(counts[row], grid))


def mixed(counts: Sequence[int], grid: Sequence[int] | None, fixed_rows: int | None) -> Iterator[Batch]:
    """Yield batches of texts in random order, each of as many as the runtime would run at the length of its longest.

    Where nothing is padded, texts of different lengths never share a batch: the runtime's own batches are yielded.
    """
    if grid is None:
        yield from plan(counts, None, fixed_rows)
        return
    together: list[int] = []
    length = 0
    for row in random.Random(0).sample(range(len(counts)), len(counts)):  # noqa: S311 - lengths, not secrets
        longer = max(length, padded_length(counts[row], grid))
        if together and len(together) >= _rows_at(longer, fixed_rows):
            yield Batch(tuple(together), length)
            together, longer = [], padded_length(counts[row], grid)
        together.append(row)
        length = longer
    yield Batch(tuple(together), length)


def padded(counts: Sequence[int], grid: Sequence[int], fixed_rows: int | None) -> Iterator[Batch]:
    """Yield batches in which each text is padded to one of the lengths that it fits into, the longest length first.

    Every length gets texts, as far as there are some that fit; so that all take about the same time, short ones get more.
    """
    lengths = _spread(counts, grid)
    for length in sorted({*lengths}, reverse=True):
        rows = [row for row, chosen in enumerate(lengths) if chosen == length]
        most = _rows_at(length, fixed_rows)
        yield from (Batch(tuple(rows[at : at + most]), length) for at in range(0, len(rows), most))


def _spread(counts: Sequence[int], grid: Sequence[int]) -> list[int]:
    """Return the length that each text is padded to."""
    lengths = [0] * len(counts)
    given: Counter[int] = Counter()
    several = max(1, len(counts) // _TEXTS_PER_LENGTH)

    def cost(length: int) -> tuple[bool, int]:
        return given[length] >= (several if length <= _EVERY_LENGTH else 1), given[length] * length

    for row in sorted(range(len(counts)), key=counts.__getitem__, reverse=True):
        lengths[row] = min((length for length in grid if length >= counts[row]), key=cost)
        given[lengths[row]] += 1
    return lengths


def _rows_at(length: int, fixed_rows: int | None) -> int:
    """Return the number of texts that the runtime would run together at a length."""
    return fixed_rows or len(next(plan([length] * MAX_ROWS, (length,))).rows)
