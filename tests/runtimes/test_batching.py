from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge_runtimes.batching import MAX_ROWS, MAX_TOKENS, pad, padded_length, plan

LENGTHS = (8, 16, 24, 32, 64, 128, 4096, 8192)


@given(st.lists(st.integers(1, LENGTHS[-1])))
def test_every_text_is_in_one_batch_that_fits_it(counts: list[int]) -> None:
    batches = list(plan(counts, LENGTHS))
    assert sorted(row for batch in batches for row in batch.rows) == list(range(len(counts)))
    for batch in batches:
        longest = max(counts[row] for row in batch.rows)
        assert batch.length == padded_length(longest, LENGTHS)
        assert len(batch.rows) <= MAX_ROWS
        assert len(batch.rows) == 1 or len(batch.rows) * batch.length <= MAX_TOKENS


@given(st.lists(st.integers(1, LENGTHS[-1])), st.integers(2, 16), st.none() | st.integers(1, 5))
def test_few_texts_are_spread_over_the_batches_that_run_at_once(
    counts: list[int], at_once: int, fixed_rows: int | None
) -> None:
    batches = list(plan(counts, LENGTHS, fixed_rows, at_once))
    assert sorted(row for batch in batches for row in batch.rows) == list(range(len(counts)))
    assert [batch.length for batch in batches] == sorted((batch.length for batch in batches), reverse=True)
    assert all(len(batch.rows) <= (fixed_rows or MAX_ROWS) for batch in batches)
    assert fixed_rows or len(batches) >= min(len(counts), at_once)


@given(st.lists(st.integers(1, 40) | st.integers(1, LENGTHS[-1])), st.none() | st.integers(1, 5))
def test_without_a_grid_only_texts_of_one_length_share_a_batch(counts: list[int], fixed_rows: int | None) -> None:
    batches = list(plan(counts, None, fixed_rows))
    assert sorted(row for batch in batches for row in batch.rows) == list(range(len(counts)))
    for batch in batches:
        assert {counts[row] for row in batch.rows} == {batch.length}
        assert len(batch.rows) <= (fixed_rows or MAX_ROWS)
        assert fixed_rows or len(batch.rows) == 1 or len(batch.rows) * batch.length <= MAX_TOKENS
        ids, mask = pad([[1] * counts[row] for row in batch.rows], batch.length, 7, fixed_rows)
        assert (ids == 1).all()
        assert (mask == 1).all()
        assert len(ids) == (fixed_rows or len(batch.rows))
    for length, times in Counter(counts).items():  # and no more batches than that takes
        most = fixed_rows or max(1, min(MAX_ROWS, MAX_TOKENS // length))
        assert sum(batch.length == length for batch in batches) == -(-times // most)


def test_few_texts_of_like_lengths_share_a_batch_and_many_do_not() -> None:
    assert [(batch.length, len(batch.rows)) for batch in plan([7, 15, 23], LENGTHS)] == [(24, 3)]
    assert [batch.length for batch in plan([7, 64], LENGTHS)] == [64, 8]
    assert [(batch.length, len(batch.rows)) for batch in plan([7] * 16 + [15] * 16, LENGTHS)] == [(16, 16), (8, 16)]


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=5), st.integers(6, 10))
def test_padding_is_on_the_right_and_masked(rows: list[list[int]], length: int) -> None:
    input_ids, attention_mask = pad(rows, length, pad_id=7)
    for row, ids, mask in zip(rows, input_ids.tolist(), attention_mask.tolist(), strict=True):
        assert ids == row + [7] * (length - len(row))
        assert mask == [1] * len(row) + [0] * (length - len(row))
