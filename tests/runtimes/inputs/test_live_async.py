"""Asynchronous sources: the event loop goes on while the model works, and nothing is left running."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import Classifier, InputError, Prediction, TextError
from sentiment_edge_runtimes.inputs import READ_AHEAD
from sentiment_edge_runtimes.inputs.live_async import answer_live_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Sequence

LONG = 60
"""Seconds after which something is taken to hang."""


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    async def alone() -> None:
        await asyncio.wait_for(coroutine, LONG)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(alone())


def echo(texts: Sequence[str]) -> list[Prediction | TextError]:
    return [TextError("empty") if not text else Prediction(text, 1.0, {text: 1.0}) for text in texts]


async def numbers(most: int) -> AsyncIterator[str]:
    for number in range(most):
        yield str(number)


def test_each_text_is_answered_before_the_next_comes(classifier: Classifier) -> None:
    async def talk() -> None:
        texts: asyncio.Queue[str] = asyncio.Queue()

        async def source() -> AsyncIterator[str]:
            while True:
                yield await texts.get()

        async with aclosing(classifier.astream(source())) as stream:
            for _ in range(30):
                await texts.put("I loved it.")
                assert (await anext(stream)).label == "positive"

    run(talk())


@given(st.lists(st.booleans(), max_size=60))
def test_each_text_gets_its_answer_in_order(pauses: list[bool]) -> None:
    async def check() -> None:
        async def source() -> AsyncIterator[str]:
            for number, pause in enumerate(pauses):
                if pause:
                    await asyncio.sleep(0)
                yield str(number)

        answers = [answer.label async for answer in answer_live_async(source(), echo, "raise")]
        assert answers == [str(number) for number in range(len(pauses))]

    run(check())


def test_batches_grow_from_one_while_the_source_is_faster_than_the_model() -> None:
    chunks = []

    def answer(texts: Sequence[str]) -> list[Prediction | TextError]:
        chunks.append(len(texts))
        return echo(texts)

    async def check() -> None:
        assert len([answer async for answer in answer_live_async(numbers(5000), answer, "raise")]) == 5000

    run(check())
    assert chunks[0] == 1
    assert max(chunks) == READ_AHEAD


def test_the_event_loop_goes_on_while_the_model_works() -> None:
    went_on = threading.Event()

    def answer(texts: Sequence[str]) -> list[Prediction | TextError]:
        assert went_on.wait(LONG)
        return echo(texts)

    async def check() -> None:
        asyncio.get_running_loop().call_soon(went_on.set)
        assert len([answer async for answer in answer_live_async(numbers(3), answer, "raise")]) == 3

    run(check())


@pytest.mark.parametrize("failure", [OSError("the sensor is gone"), asyncio.CancelledError("by the source itself")])
def test_the_error_of_a_source_comes_after_the_answers_to_what_it_gave(failure: BaseException) -> None:
    async def source() -> AsyncIterator[str]:
        for number in range(7):
            yield str(number)
        raise failure

    async def check() -> None:
        stream = answer_live_async(source(), echo, "raise")
        assert [(await anext(stream)).label for _ in range(7)] == [*"0123456"]
        with pytest.raises(type(failure)) as raised:
            await anext(stream)
        assert raised.value is failure

    run(check())


def test_a_text_that_cannot_be_answered_has_its_place() -> None:
    async def source() -> AsyncIterator[str]:
        for text in ("a", "b", "", "c"):
            yield text

    async def check() -> None:
        labels = [answer.label async for answer in answer_live_async(source(), echo, "return")]
        assert labels == ["a", "b", None, "c"]
        stream = answer_live_async(source(), echo, "raise")
        assert [(await anext(stream)).label for _ in range(2)] == ["a", "b"]
        with pytest.raises(TextError, match=r"texts\[2\]: empty"):
            await anext(stream)

    run(check())


def test_an_item_that_is_no_text_is_named(classifier: Classifier) -> None:
    async def source() -> AsyncIterator[Any]:
        yield "a"
        yield None

    async def check() -> None:
        stream = classifier.astream(source())
        assert (await anext(stream)).label in classifier.labels
        with pytest.raises(InputError, match=r"texts\[1\] is missing \(None\)"):
            await anext(stream)

    run(check())


def test_a_stream_that_is_cancelled_or_left_leaves_nothing_running(classifier: Classifier) -> None:
    ended = []

    async def source() -> AsyncIterator[str]:
        try:
            yield "I loved it."
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def listen(answered: asyncio.Event) -> None:
        async for _ in classifier.astream(source()):
            answered.set()

    async def check() -> None:
        answered = asyncio.Event()
        listener = asyncio.create_task(listen(answered))
        await answered.wait()
        listener.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listener
        async with aclosing(classifier.astream(source())) as stream:
            await anext(stream)

    run(check())
    assert ended == [True, True]


def test_one_task_reads_the_source_from_start_to_end() -> None:
    tasks = set()

    async def source() -> AsyncIterator[str]:
        async with asyncio.timeout(LONG):  # which must end in the task that it began in
            for number in range(50):
                tasks.add(asyncio.current_task())
                yield str(number)

    async def check() -> None:
        assert len([answer async for answer in answer_live_async(source(), echo, "raise")]) == 50

    run(check())
    assert len(tasks) == 1


def test_each_kind_of_source_has_its_method(classifier: Classifier) -> None:
    with pytest.raises(InputError, match=r"astream\(\) takes texts that come asynchronously, not list: use stream\(\)"):
        classifier.astream(["a"])  # type: ignore[call-overload]
    source: Any = numbers(3)
    for call in (classifier, classifier.stream, classifier.logits):
        with pytest.raises(InputError, match=r"texts come asynchronously \(async_generator\): use astream\(\)"):
            call(source)
