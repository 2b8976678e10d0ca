"""Sessions of real engines: many texts run in batches beside each other, a text alone has all threads."""

from __future__ import annotations

import shutil
from threading import Barrier
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("openvino", reason="needs the extra export-openvino")

from sentiment_edge import load
from sentiment_edge.export import GraphOptions
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.engines import sessions
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.machine.memory import Memory
from sentiment_edge_runtimes.running import life
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.exports import Exports
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.engines.engine import Outputs, Session
    from sentiment_edge_runtimes.vocabulary import EngineName

THREADS = 2
MANY = ["good", "not a good film " * 3, "a film", "bad " * 20] * 20
CASES = [("bert", "onnxruntime"), ("bert", "openvino"), ("gru", "onnxruntime"), ("gru", "openvino")]


class Meeting:
    """A session in which each call waits for another one; alone, it gives up."""

    def __init__(self, session: Session, barrier: Barrier) -> None:
        self._session, self._barrier = session, barrier

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        self._barrier.wait(timeout=60)
        return self._session(input_ids, attention_mask)


class MeetingEngine:
    """A real engine whose calls meet."""

    def __init__(self, *arguments: Any) -> None:
        self._engine = open_engine(*arguments)
        self.lengths = self._engine.lengths
        self.barrier = Barrier(THREADS)

    def sharing(self, texts: int) -> tuple[Meeting, int]:
        session, at_once = self._engine.sharing(texts)
        return Meeting(session, self.barrier), at_once


def bundle_of(exports: Exports, model: str) -> Bundle:
    return exports(model, engines=ENGINES).bundle


@pytest.mark.parametrize(("model", "engine"), CASES)
def test_many_texts_run_in_batches_beside_each_other(
    exports: Exports, model: str, engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = bundle_of(exports, model).root
    expected = load(root, engine=engine, threads=1).logits(MANY)
    monkeypatch.setattr(life, "open_engine", MeetingEngine)
    texts = MANY[:8]  # of two lengths that differ much or more, in an even number of batches
    beside = load(root, engine=engine, threads=THREADS).logits(texts)
    assert np.abs(beside - expected[:8]).max() < 1e-5


@pytest.mark.parametrize(("model", "engine"), CASES)
def test_a_text_alone_has_all_threads_and_the_same_answer(exports: Exports, model: str, engine: EngineName) -> None:
    bundle = bundle_of(exports, model)
    opened = open_engine(bundle, engine, THREADS)
    together = load(bundle.root, engine=engine, threads=THREADS).logits(MANY)
    classifier = load(bundle.root, engine=engine, threads=THREADS)
    alone = np.concatenate([classifier.logits([text]) for text in MANY[:4]] * 20)
    assert np.abs(together - alone).max() < 1e-5
    recurrent = (model, engine) == ("gru", "onnxruntime")  # whose kernel has no use for a second thread
    assert opened.sharing(1)[1] == (THREADS if recurrent else 1)
    assert opened.sharing(1000)[1] == THREADS
    assert (opened.sharing(1)[0] is opened.sharing(1000)[0]) is recurrent


@pytest.mark.parametrize("engine", ENGINES)
def test_the_other_session_is_opened_only_when_it_was_missed_for_long(exports: Exports, engine: EngineName) -> None:
    opened = open_engine(bundle_of(exports, "bert"), engine, THREADS)
    assert opened.sharing(1000)[1] == THREADS
    assert opened.sharing(1)[1] == THREADS  # such as the last line of a file
    assert [opened.sharing(1)[1] for _ in range(100)][-1] == 1
    assert opened.sharing(1000)[1] == THREADS


@pytest.mark.parametrize("engine", ENGINES)
def test_without_memory_for_another_session_all_run_in_the_first(
    exports: Exports, engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "machine_memory", lambda: Memory(2**30, None, 1000))
    root = bundle_of(exports, "bert").root
    classifier = load(root, engine=engine, threads=THREADS)
    alone = classifier.logits(MANY[:1])
    together = classifier.logits(MANY)
    assert np.abs(together[:1] - alone).max() < 1e-5
    opened = open_engine(bundle_of(exports, "bert"), engine, THREADS)
    assert opened.sharing(1)[1] == 1
    assert {opened.sharing(1000)[1] for _ in range(3)} == {1}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bundle_that_is_gone_by_then_keeps_the_first_session(exports: Exports, engine: EngineName, tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    shutil.copytree(bundle_of(exports, "bert").root, root)
    classifier = load(root, engine=engine, threads=THREADS)
    first = classifier.logits(MANY[:1])
    for path in root.iterdir():
        if path.is_file():
            path.unlink()
    assert np.abs(classifier.logits(MANY)[:1] - first).max() < 1e-5


@pytest.mark.parametrize("engine", ENGINES)
def test_few_batches_of_a_fixed_size_are_few_texts(exports: Exports, engine: EngineName) -> None:
    fixed = exports("bert", engines=ENGINES, graph=GraphOptions(fixed_length=16, fixed_batch=4)).bundle
    opened = open_engine(fixed, engine, THREADS)
    assert opened.sharing(12)[1] == 1  # three batches
    assert load(fixed.root, engine=engine, threads=THREADS).logits(MANY[:3] * 9).shape == (27, 2)
