"""Grouping of texts into batches, and their padding."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

MAX_ROWS = 16
MAX_TOKENS = 512
"""Bounds on one batch, for the sake of memory and of the time to the first answer; larger batches are no faster."""
LONG = 1024
"""Tokens above which a text takes much memory: such texts do not run beside each other."""
ROUNDS = 2
"""Batches for each of those that run at once, at least: with fewer, some would wait for the longest."""

_START = 16
"""The cost of starting a batch, in tokens of padding that it is worth to avoid it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts that run together."""

    rows: tuple[int, ...]
    """Positions of the texts."""
    length: int
    """Tokens that each text is padded to."""


def padded_length(count: int, grid: Sequence[int] | None) -> int:
    """Return the smallest length of an ascending grid that is not below a count of tokens; without a grid the count itself."""
    return count if grid is None else grid[bisect_left(grid, count)]


def plan(counts: Sequence[int], grid: Sequence[int] | None, fixed_rows: int | None = None, at_once: int = 1) -> Iterator[Batch]:
    """Yield batches such that padding and starts together cost least; longest texts first, so that workers end together.

    Args:
        counts: the number of tokens of each text, none above the last of the grid.
        grid: the lengths that a batch may be padded to, ascending; None for a model that must not be padded, whose batches
            hold texts of one count each.
        fixed_rows: the only number of rows that the model takes; None if it takes any.
        at_once: the batches that will run at once: few texts are spread over as many.
    """
    rows_of = partial(_rows, fixed_rows, min(MAX_ROWS, -(-len(counts) // (ROUNDS * at_once))) if at_once > 1 else MAX_ROWS)
    fitting = [padded_length(count, grid) for count in counts]
    padded = {count: count for count in fitting} if grid is None else _merged(Counter(fitting), fixed_rows, rows_of)
    order = sorted(range(len(counts)), key=counts.__getitem__, reverse=True)
    for length, rows in groupby(order, key=lambda row: padded[fitting[row]]):
        while batch := tuple(islice(rows, rows_of(length))):
            yield Batch(batch, length)


def _merged(texts: Mapping[int, int], fixed_rows: int | None, rows_of: Callable[[int], int]) -> dict[int, int]:
    """Return the length that texts of each length are padded to, given the number of texts of each."""
    levels = sorted(texts)
    cheapest: list[tuple[int, int]] = [(0, 0)]
    """At index n, of the n shortest levels: the least cost, and the level at which the last group starts."""
    for end, length in enumerate(levels, start=1):
        options, together, rows = [], 0, rows_of(length)
        for start in reversed(range(end)):
            together += texts[levels[start]]
            options.append((cheapest[start][0] + _cost(together, length, fixed_rows, rows), start))
        cheapest.append(min(options))
    padded: dict[int, int] = {}
    end = len(levels)
    while end:
        start = cheapest[end][1]
        padded |= dict.fromkeys(levels[start:end], levels[end - 1])
        end = start
    return padded


def _cost(texts: int, length: int, fixed_rows: int | None, rows: int) -> int:
    """Return the cost, in tokens, of texts that are padded to one length, so many of them in a batch."""
    batches = -(-texts // rows)
    return (batches * fixed_rows if fixed_rows else texts) * length + batches * _START


def _rows(fixed: int | None, most: int, length: int) -> int:
    """Return the number of texts in a batch of a length."""
    return fixed or max(1, min(most, MAX_TOKENS // length))


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
