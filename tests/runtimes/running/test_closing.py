"""The end of a classifier: calls under way are answered, later ones refused, the session is gone."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.openvino_bundle import add_openvino

from sentiment_edge import Classifier, EngineError, load
from sentiment_edge_runtimes.engines.onnxruntime import OnnxRuntimeSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sentiment_edge_runtimes.vocabulary import EngineName

TEXTS = ["I loved it.", "Dreadful.", "not bad at all " * 20] * 4
USES: dict[str, Callable[[Classifier], object]] = {
    "one text": lambda closed: closed("I loved it."),
    "several": lambda closed: closed(TEXTS),
    "none": lambda closed: closed([]),
    "stream": lambda closed: next(closed.stream(TEXTS)),
    "logits": lambda closed: closed.logits(TEXTS),
    "explain": lambda closed: closed.explain("I loved it."),
    "acall": lambda closed: asyncio.run(closed.acall("I loved it.")),
    "warm_up": lambda closed: closed.warm_up(),
    "warm_up in the background": lambda closed: closed.warm_up(background=True),
    "pickle": pickle.dumps,
}


def sessions() -> set[int]:
    return {id(each) for each in gc.get_objects() if isinstance(each, OnnxRuntimeSession)}


@pytest.fixture(params=["onnxruntime", "openvino"])
def used(request: pytest.FixtureRequest, bundle_folder: Path) -> Classifier:
    engine: EngineName = request.param
    classifier = load(add_openvino(bundle_folder), engine=engine, threads=2)
    classifier(TEXTS)
    return classifier


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("ready", [False, True])
def test_a_use_afterwards_is_refused_in_one_line(use: Callable[[Classifier], object], ready: bool) -> None:
    closed = load(warm=ready)
    closed.close()
    closed.close()
    with pytest.raises(EngineError, match=r"^the classifier of .*gru-mini-int8 is closed: load it again$"):
        use(closed)


def test_a_block_closes_it(classifier: Classifier) -> None:
    with load() as opened:
        assert opened("I loved it.") == classifier("I loved it.")
    with pytest.raises(EngineError, match="is closed"):
        opened("I loved it.")


def test_the_data_stay_known() -> None:
    closed = load(warm=True)
    closed.close()
    assert closed.labels == ("negative", "positive")
    assert closed.engine == "onnxruntime"
    assert repr(closed).endswith("labels=('negative', 'positive'), closed)")


def test_the_session_is_gone() -> None:
    before = sessions()
    classifier = load(warm=True)
    assert len(sessions() - before) == 1
    classifier.close()
    assert not sessions() - before


def test_calls_of_many_threads_are_answered_or_refused(used: Classifier) -> None:
    expected = used(TEXTS)
    wrong: list[object] = []
    answered = threading.Barrier(5)

    def call() -> None:
        waited = False
        while True:
            try:
                answers = used(TEXTS)
            except EngineError as error:
                if "is closed" not in str(error):
                    wrong.append(error)
                return
            if [answer.label for answer in answers] != [answer.label for answer in expected]:
                wrong.append(answers)
            if not waited:
                waited = True
                answered.wait()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    answered.wait()
    used.close()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("started", [False, True])
def test_a_call_under_way_is_waited_for(used: Classifier, started: bool) -> None:
    """It has begun when its texts are read, long before the engine is called, or even opened."""
    if not started:
        used = Classifier(used.bundle, engine=used.engine)
    begun, closing = threading.Event(), threading.Event()
    found: list[object] = []

    def texts() -> Iterator[str]:
        yield "I loved it."
        begun.set()
        closing.wait()

    caller = threading.Thread(target=lambda: found.append(used.logits(texts()).shape))
    closer = threading.Thread(target=used.close)
    caller.start()
    begun.wait()
    closer.start()
    while "closed" not in repr(used):
        pass
    with pytest.raises(EngineError, match="is closed"):
        used("I loved it.")
    assert not found
    assert closer.is_alive()
    closing.set()
    caller.join()
    closer.join()
    assert found == [(1, 2)]


def test_the_next_batch_of_a_stream_is_refused(used: Classifier) -> None:
    stream = used.stream(iter(TEXTS), read_ahead=1)
    assert next(stream).label in used.labels
    used.close()
    with pytest.raises(EngineError, match="is closed"):
        next(stream)


def test_it_may_be_closed_from_inside_a_call(used: Classifier) -> None:
    def texts() -> Iterator[str]:
        yield "I loved it."
        used.close()

    with pytest.raises(EngineError, match="is closed"):
        used.logits(texts())


def test_two_calls_may_each_close_it(used: Classifier) -> None:
    both = threading.Barrier(2, timeout=60)

    def texts() -> Iterator[str]:
        yield "I loved it."
        both.wait()
        used.close()

    def ask() -> None:
        with suppress(EngineError):  # the rest of a call that closes is refused
            used.logits(texts())

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_it_may_be_closed_while_it_loads() -> None:
    for _ in range(20):
        classifier = load(warm="background")
        classifier.close()
        with pytest.raises(EngineError, match="is closed"):
            classifier("I loved it.")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_is_closed_where_its_parent_was_and_closes_itself_only(used: Classifier) -> None:
    def child(refused: bool) -> int:
        used("I loved it.") if not refused else None
        used.close()
        try:
            used("I loved it.")
        except EngineError as error:
            return 0 if "is closed" in str(error) else 2
        return 1

    for refused in (False, True):
        process = os.fork()
        if process == 0:
            os._exit(child(refused))
        assert os.waitpid(process, 0)[1] == 0
        if not refused:
            assert used("I loved it.").label in used.labels
            used.close()
