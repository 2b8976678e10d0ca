"""One call from an event loop, which goes on meanwhile."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.support import put_file

from sentiment_edge import Classifier, EngineError, FailedPrediction, InputError, TextError, load
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.running import life

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.engines.engine import Outputs

LONG = 60
"""Seconds after which something is taken to hang."""


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, LONG))


class Held:
    """A real engine that does not run before it is told to."""

    def __init__(self, *arguments: Any) -> None:
        self._engine = open_engine(*arguments)
        self.lengths = self._engine.lengths
        self.begun, self.released = threading.Event(), threading.Event()

    def sharing(self, texts: int) -> tuple[Held, int]:
        return self, self._engine.sharing(texts)[1]

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        self.begun.set()
        assert self.released.wait(LONG)
        return self._engine(input_ids, attention_mask)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> tuple[Classifier, Held]:
    classifier = load()
    engine = Held(classifier.bundle, classifier.engine, 1)
    monkeypatch.setattr(life, "open_engine", lambda *_: engine)
    return classifier, engine


def test_it_answers_as_a_call_does(classifier: Classifier) -> None:
    async def ask() -> None:
        assert await classifier.acall("I loved it.") == classifier("I loved it.")
        texts = ["I loved it.", "Dreadful."]
        assert await classifier.acall(texts) == classifier(texts)
        assert await classifier.acall(iter(texts), on_error="return") == classifier(texts)
        assert await asyncio.gather(*map(classifier.acall, texts)) == classifier(texts)

    run(ask())


def test_errors_are_those_of_a_call(bundle_folder: Path) -> None:
    tokenizer = json.loads((bundle_folder / "tokenizer.json").read_text("utf-8"))
    put_file(bundle_folder, "tokenizer.json", json.dumps(tokenizer | {"normalizer": CATASTROPHIC}).encode())
    unlucky = load(bundle_folder)

    async def ask() -> None:
        with pytest.raises(TextError, match=r"^texts\[1\]: "):
            await unlucky.acall(["fine", UNLUCKY])
        fine, failed = await unlucky.acall(["fine", UNLUCKY], on_error="return")
        assert fine.label in unlucky.labels
        assert isinstance(failed, FailedPrediction)
        with pytest.raises(InputError, match="must be a string"):
            await unlucky.acall(["fine", 3])  # type: ignore[list-item]

    run(ask())


def test_the_loop_goes_on_meanwhile(held: tuple[Classifier, Held], classifier: Classifier) -> None:
    waiting, engine = held

    async def ask() -> None:
        task = asyncio.create_task(waiting.acall("I loved it."))
        await asyncio.to_thread(engine.begun.wait, LONG)
        assert not task.done()
        engine.released.set()
        assert await task == classifier("I loved it.")

    run(ask())


def test_cancelled_it_lets_the_model_finish(held: tuple[Classifier, Held], classifier: Classifier) -> None:
    waiting, engine = held

    async def ask() -> None:
        task = asyncio.create_task(waiting.acall(["I loved it.", "Dreadful."]))
        await asyncio.to_thread(engine.begun.wait, LONG)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        engine.released.set()
        assert await waiting.acall("I loved it.") == classifier("I loved it.")

    run(ask())
    waiting.close()


def test_the_loop_goes_on_while_the_end_of_a_block_waits(held: tuple[Classifier, Held]) -> None:
    waiting, engine = held

    async def ask() -> None:
        async with waiting:
            task = asyncio.create_task(waiting.acall("I loved it."))
            await asyncio.to_thread(engine.begun.wait, LONG)
            asyncio.get_running_loop().call_later(0.05, engine.released.set)  # never, if the loop stood still
        assert (await task).label in waiting.labels
        with pytest.raises(EngineError, match="is closed"):
            await waiting.acall("I loved it.")

    run(ask())


def test_a_block_of_the_loop_that_is_left_by_a_timeout_closes_it(held: tuple[Classifier, Held]) -> None:
    waiting, engine = held

    async def ask() -> None:
        async with waiting:
            await asyncio.wait_for(waiting.acall("I loved it."), 0.05)

    threading.Timer(0.2, engine.released.set).start()
    with pytest.raises(TimeoutError):
        run(ask())
    with pytest.raises(EngineError, match="is closed"):
        waiting("I loved it.")
