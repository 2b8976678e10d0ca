"""Long texts: spans first, then the words of the strongest, in a bounded number of runs."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge_runtimes.explanation import MOST_RUNS
from sentiment_edge_runtimes.explanation.parts import Part
from sentiment_edge_runtimes.explanation.spans import MOST_SPANS, MOST_WORDS, weigh_parts
from sentiment_edge_runtimes.limits import LONGEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Weights:
    """The weights of parts whose words' own add up; counts what it weighs."""

    def __init__(self, of_words: Mapping[int, float]) -> None:
        self._of_words = of_words
        self.calls: list[int] = []

    def __call__(self, parts: Sequence[Part]) -> list[float]:
        self.calls.append(len(parts))
        return [sum(self._of_words.get(word, 0) for word in part.tokens) for part in parts]


def words_of(text: str) -> list[Part]:
    """The words of a text that has one space between two."""
    parts, start = [], 0
    for place, word in enumerate(text.split(" ")):
        parts.append(Part(start, start + len(word), (place,)))
        start += len(word) + 1
    return parts


def text_of(words: int, sentence: int = 10**9) -> str:
    """So many words, a stop after each sentence's last."""
    return " ".join("a" if (word + 1) % sentence else "." for word in range(words))


@given(
    st.integers(1, 5000),
    st.integers(1, 80),
    st.dictionaries(st.integers(0, 4999), st.floats(-1, 1), max_size=30),
)
def test_parts_cover_the_words_in_order_within_the_bound(words: int, sentence: int, of_words: dict[int, float]) -> None:
    weights, text = Weights(of_words), text_of(words, sentence)
    found = weigh_parts(text, words_of(text), weights)
    assert [word for part, _ in found for word in part.tokens] == [*range(words)]
    assert all(weight == pytest.approx(sum(of_words.get(word, 0) for word in part.tokens)) for part, weight in found)
    assert max(weights.calls) <= MOST_WORDS
    assert 1 + sum(weights.calls) <= (1 + words if words <= MOST_WORDS else 97 if words <= 1024 else MOST_RUNS)


@pytest.mark.parametrize("words", [MOST_WORDS + 1, 1000, 1025, 20_000, LONGEST])
@pytest.mark.parametrize("sentence", [1, 3, 7, 20, 10**9])
def test_the_strongest_word_is_found_alone(words: int, sentence: int) -> None:
    place = random.Random(words).randrange(words)
    weights, text = Weights({place: -0.5}), text_of(words, sentence)
    found = weigh_parts(text, words_of(text), weights)
    assert (Part(2 * place, 2 * place + 1, (place,)), -0.5) in found
    assert 1 + sum(weights.calls) <= MOST_RUNS
    assert len(found) > MOST_SPANS - 1


def test_few_words_take_a_run_each() -> None:
    weights, text = Weights({1: 0.5}), text_of(MOST_WORDS)
    assert [weight for _, weight in weigh_parts(text, words_of(text), weights)][:3] == [0, 0.5, 0]
    assert weights.calls == [MOST_WORDS]


def test_spans_end_where_sentences_do() -> None:
    weights, text = Weights({}), text_of(96, 4)
    spans = [part for part, _ in weigh_parts(text, words_of(text), weights) if len(part.tokens) > 1]
    assert spans
    assert {text[part.end - 1] for part in spans} == {"."}
    assert {len(part.tokens) for part in spans} == {4}


def test_the_bound_is_what_the_documents_say() -> None:
    assert MOST_RUNS == 161
