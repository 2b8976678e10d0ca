"""Sources of which nobody can tell whether they have a text ready: their answers come as their texts come."""

from __future__ import annotations

import threading
from itertools import count, repeat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import Classifier, InputError, OptionError, Prediction, TextError
from sentiment_edge_runtimes.inputs import READ_AHEAD, answer_live, live

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sentiment_edge_runtimes.inputs.live import Result

AT_ONCE, SOON, LATE = 1e-6, 0.003, 10.0


class Bench:
    """A source on a clock of its own, and a model that takes no time; counts what was read and what was answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.ran, self.answered = 0.0, 0.0, 0
        self.chunks: list[int] = []
        self.unanswered: list[int] = []
        """Of each text: how many were read before it and had no answer when it was asked for."""
        monkeypatch.setattr(live, "perf_counter", lambda: self.now)
        monkeypatch.setattr(live, "thread_time", lambda: self.ran)

    def source(self, gaps: Iterable[float], *, works: bool = False) -> Iterator[str]:
        """Yield numbers, each after a gap in which it waits, or works."""
        for number, gap in enumerate(gaps):
            self.unanswered.append(number - self.answered)
            self.now += gap
            self.ran += gap * works
            yield str(number)

    def answer(self, texts: Sequence[str]) -> list[Prediction | TextError]:
        self.chunks.append(len(texts))
        return [TextError("thirteen") if text == "13" else Prediction(text, 1.0, {text: 1.0}) for text in texts]

    def stream(self, texts: Iterable[str], on_error: Any = "return", read_ahead: int = READ_AHEAD) -> Iterator[Result]:
        for result in answer_live(texts, self.answer, on_error, read_ahead):
            self.answered += 1
            yield result


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


gaps = st.lists(st.tuples(st.integers(1, 60), st.sampled_from([AT_ONCE, SOON, LATE])), max_size=12)


@given(gaps, st.booleans(), st.integers(1, 100))
def test_each_text_gets_its_answer_in_order(runs: list[tuple[int, float]], works: bool, read_ahead: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bench = Bench(patch)
        waits = [gap for times, gap in runs for gap in repeat(gap, times)]
        results = list(bench.stream(bench.source(waits, works=works), read_ahead=read_ahead))
        labels = [getattr(result, "error", result.label) for result in results]
        assert labels == ["thirteen" if number == 13 else str(number) for number in range(len(waits))]
        assert max(bench.unanswered, default=0) < read_ahead


@given(st.lists(st.floats(0.0001, 100), min_size=1, max_size=300))
def test_a_source_that_is_waited_for_is_never_read_ahead(waits: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bench = Bench(patch)
        assert len(list(bench.stream(bench.source(waits)))) == len(waits)
        assert set(bench.unanswered) == {0}


def test_batches_grow_from_one_while_the_source_is_ready(bench: Bench) -> None:
    assert len(list(bench.stream(bench.source(repeat(AT_ONCE, 20_000))))) == 20_000
    assert bench.chunks[0] == 1
    assert bench.chunks[:-1] == sorted(bench.chunks[:-1])
    assert bench.chunks.count(READ_AHEAD) >= 15


def test_a_source_that_works_for_its_texts_is_read_ahead_for_a_moment_only(bench: Bench) -> None:
    list(bench.stream(bench.source(repeat(SOON, 2000), works=True)))
    assert 3 <= max(bench.chunks) <= 10


def test_a_source_that_turns_slow_is_answered_text_by_text(bench: Bench) -> None:
    list(bench.stream(bench.source([*repeat(AT_ONCE, 3000), *repeat(LATE, 20)])))
    assert set(bench.unanswered[-18:]) == {0}


@given(st.integers(1, 400))
def test_texts_that_come_in_bursts_wait_for_the_next_burst_a_few_times_at_most(burst: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bench = Bench(patch)
        list(bench.stream(bench.source([*repeat(LATE, 1), *repeat(AT_ONCE, burst - 1)] * 30)))
        assert sum(waiting > 0 for waiting in bench.unanswered[::burst]) <= 4


def test_what_has_its_texts_already_is_read_at_once(bench: Bench) -> None:
    list(bench.stream([str(number) for number in range(3000)]))
    assert bench.chunks == [1024, 1024, 952]


@pytest.mark.parametrize("sized", [False, True])
@given(st.integers(0, 80))
def test_the_error_of_a_source_comes_after_the_answers_to_what_it_gave(sized: bool, given_before: int) -> None:
    failure = OSError("the sensor is gone")

    class Broken:
        def __iter__(self) -> Iterator[str]:
            yield from map(str, range(given_before))
            raise failure

        def __len__(self) -> int:
            return 1000

    with pytest.MonkeyPatch.context() as patch:
        stream = Bench(patch).stream(Broken() if sized else iter(Broken()))
        assert len([next(stream) for _ in range(given_before)]) == given_before
        with pytest.raises(OSError, match="the sensor is gone") as raised:
            next(stream)
        assert raised.value is failure


def test_an_item_that_is_no_text_is_named_after_the_answers_to_those_before(classifier: Classifier) -> None:
    items: Any = ["a", "b", 3]
    for texts in (items, iter(items)):
        stream = classifier.stream(texts, on_error="return")
        assert [next(stream).label is not None for _ in range(2)] == [True, True]
        with pytest.raises(InputError, match=r"texts\[2\] must be a string, not int: 3"):
            next(stream)


@pytest.mark.parametrize("sized", [False, True])
def test_a_text_that_cannot_be_answered_is_raised_after_the_answers_before_it(bench: Bench, sized: bool) -> None:
    texts = [str(number) for number in range(40)]
    stream = bench.stream(texts if sized else iter(texts), on_error="raise")
    assert [next(stream).label for _ in range(13)] == texts[:13]
    with pytest.raises(TextError, match=r"texts\[13\]: thirteen") as failure:
        next(stream)
    assert failure.value.position == 13


def test_texts_are_read_in_the_callers_thread(classifier: Classifier) -> None:
    threads = set()

    def texts() -> Iterator[str]:
        for number in range(100):
            threads.add(threading.get_ident())
            yield f"text {number}"

    assert len(list(classifier.stream(texts()))) == 100
    assert threads == {threading.get_ident()}


def test_a_stream_can_be_closed(classifier: Classifier) -> None:
    source = map(str, count())
    stream = classifier.stream(source, read_ahead=1)
    assert next(stream).label in classifier.labels
    stream.close()
    assert list(stream) == []
    assert next(source) == "1"


def test_a_source_may_wait_for_each_answer(bench: Bench) -> None:
    list(bench.stream(bench.source(repeat(AT_ONCE, 500)), read_ahead=1))
    assert set(bench.unanswered) == {0}


@pytest.mark.parametrize("number", [0, -1, 1.5, True, None])
def test_a_read_ahead_that_is_none_is_refused(classifier: Classifier, number: Any) -> None:
    with pytest.raises(OptionError, match=r"`read_ahead`: .* is not a whole number of 1 or more"):
        classifier.stream(["a"], read_ahead=number)
