"""The batches of the gate: each text once, none larger than the runtime would run, none that takes too much memory."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge_export.parity.batches import MOST_ATTENTION_BYTES, alone, longest_within, mixed, padded
from sentiment_edge_runtimes.batching import MAX_ROWS, MAX_TOKENS, padded_length

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentiment_edge_runtimes.batching import Batch

GRID = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
COUNTS = st.lists(st.integers(1, GRID[-1]), min_size=1, max_size=300)
FIXED_ROWS = st.none() | st.integers(1, 40)


def check(batches: Iterable[Batch], counts: list[int], grid: tuple[int, ...] | None, fixed_rows: int | None) -> list[Batch]:
    made = [*batches]
    assert sorted(chain.from_iterable(batch.rows for batch in made)) == [*range(len(counts))]
    for batch in made:
        longest = max(counts[row] for row in batch.rows)
        assert batch.length >= longest
        assert batch.length == longest if grid is None else batch.length in grid
        assert len(batch.rows) <= (fixed_rows or max(1, min(MAX_ROWS, MAX_TOKENS // batch.length)))
    return made


@given(COUNTS, st.none() | st.just(GRID), FIXED_ROWS)
def test_no_batch_is_larger_than_the_runtimes_own(
    counts: list[int], grid: tuple[int, ...] | None, fixed_rows: int | None
) -> None:
    check(alone(counts, grid), counts, grid, 1)
    for batch in check(mixed(counts, grid, fixed_rows), counts, grid, fixed_rows):
        assert batch.length == padded_length(max(counts[row] for row in batch.rows), grid)


@given(COUNTS, FIXED_ROWS)
def test_every_length_is_padded_to_that_texts_fit(counts: list[int], fixed_rows: int | None) -> None:
    made = check(padded(counts, GRID, fixed_rows), counts, GRID, fixed_rows)
    used = {batch.length for batch in made}
    if len(counts) >= len(GRID):  # each text can take a length that lacks one
        assert GRID[-1] in used
    assert [batch.length for batch in made] == sorted((batch.length for batch in made), reverse=True)


def test_all_lengths_get_texts_and_short_ones_more() -> None:
    made = [*padded([5] * 260, GRID, None)]
    texts = {length: sum(len(batch.rows) for batch in made if batch.length == length) for length in GRID}
    assert min(texts.values()) >= 1
    assert min(texts[length] for length in GRID if length <= 512) >= 3
    assert texts[8] > texts[512]


@given(st.integers(1, 64), st.integers(1, 512))
def test_attention_stays_within_its_memory(heads: int, rows: int) -> None:
    longest = longest_within(GRID, heads, rows)
    assert longest in GRID
    assert longest == GRID[0] or rows * heads * longest**2 * 4 * 2 < MOST_ATTENTION_BYTES
    assert longest_within(GRID, 0, 1) == GRID[-1]


@pytest.mark.parametrize("heads", [4, 12, 16])
def test_a_model_of_512_tokens_is_measured_whole(heads: int) -> None:
    assert longest_within(range(1, 513), heads, 1) == 512
