"""Batches beside each other, some of which fail: every text keeps its place, and none is lost or answered twice."""

from __future__ import annotations

import json
import shutil
import threading
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.support import put_file
from helpers.threaded_bundle import as_encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_edge import EngineError, FailedPrediction, Prediction, TextError, load
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE, Classifier
from sentiment_edge_runtimes.engines.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.engines.engine import Outputs, Session

UNKNOWN = "zzz"
"""A word that the tokenizer has and the model has not: the engine fails on its batch."""
WORDS = ("fine", "a", "film", "dreadful", "loved", "it", "not", "long")
FINE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=20).map(" ".join)
FAILING = st.tuples(FINE, FINE).map(f" {UNKNOWN} ".join)
TEXTS = st.lists(st.one_of(FINE, FINE, FINE, FAILING), min_size=1, max_size=120)


@pytest.fixture(scope="module", params=["recurrent", "encoder"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp("bulk") / "bundle"))
    model = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]
    model["vocab"][UNKNOWN] = 2**31
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8")) | {"model": model}
    put_file(folder, "tokenizer.json", json.dumps(tokenizer).encode())
    return as_encoder(folder) if request.param == "encoder" else folder


@pytest.fixture(scope="module")
def classifiers(bundle: Path) -> dict[int, Classifier]:
    """A classifier for each number of threads."""
    return {threads: load(bundle, engine="onnxruntime", threads=threads) for threads in (1, 2, 5)}


def check(texts: Sequence[str], answers: Sequence[Prediction | FailedPrediction], alone: Classifier) -> None:
    """Each text has one answer, in its place, which is that of the text alone."""
    assert len(answers) == len(texts)
    expected = {text: alone(text).score for text in {*texts} if UNKNOWN not in text}
    for text, answer in zip(texts, answers, strict=True):
        if UNKNOWN in text:
            assert isinstance(answer, FailedPrediction)
            assert answer.error.startswith("the engine failed on this text")
            assert "\n" not in answer.error
        else:
            assert answer.score == pytest.approx(expected[text], abs=0.02)


@given(texts=TEXTS, threads=st.sampled_from([1, 2, 5]))
@settings(max_examples=25)
def test_every_text_keeps_its_place(classifiers: dict[int, Classifier], texts: list[str], threads: int) -> None:
    hopeless = 32  # texts in a row on which an engine fails, after which it is given up
    texts = [text for number, text in enumerate(texts) if UNKNOWN not in text or number % hopeless]
    classifier = classifiers[threads]
    check(texts, list(classifier(texts, on_error="return")), classifiers[1])
    check(texts, list(classifier.stream(iter(texts), on_error="return", read_ahead=50)), classifiers[1])


@given(before=st.lists(FINE, max_size=60), after=TEXTS, threads=st.sampled_from([1, 2, 5]))
@settings(max_examples=15)
def test_the_answers_before_the_first_failure_come_out(
    classifiers: dict[int, Classifier], before: list[str], after: list[str], threads: int
) -> None:
    answers = classifiers[threads].stream([*before, f"a {UNKNOWN}", *after])
    check(before, [*islice(answers, len(before))], classifiers[1])
    with pytest.raises(TextError, match=rf"^texts\[{len(before)}\]: the engine failed on this text"):
        next(answers)
    assert not [*answers]


@pytest.fixture
def breaking(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Collection[int]], Classifier]:
    """Make a classifier whose real sessions fail on the calls of these numbers, counted over all of them and from 0."""
    sharing = Sessions.sharing

    def make(failing: Collection[int]) -> Classifier:
        calls = count()

        def shared(self: Sessions, texts: int) -> tuple[Session, int]:
            session, at_once = sharing(self, texts)

            def run(input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
                if next(calls) in failing:
                    raise EngineError("the machine hiccups")
                return session(input_ids, attention_mask)

            return run, at_once

        monkeypatch.setattr(Sessions, "sharing", shared)
        return load(bundle, engine="onnxruntime", threads=3)

    return make


@pytest.mark.parametrize("at", [0, 1, 4, 9])
def test_one_failure_of_the_machine_costs_no_text(
    breaking: Callable[[Collection[int]], Classifier], classifiers: dict[int, Classifier], at: int
) -> None:
    texts = [" ".join(WORDS[: 1 + number % len(WORDS)]) + f" {number}" for number in range(80)]
    check(texts, list(breaking([at])(texts, on_error="return")), classifiers[1])


@pytest.mark.parametrize("at", [0, 1, 4, 9])
@pytest.mark.parametrize("on_error", ["raise", "return"])
def test_an_engine_that_breaks_for_good_ends_the_run_in_one_line(
    breaking: Callable[[Collection[int]], Classifier], at: int, on_error: Any
) -> None:
    before = {*threading.enumerate()}
    with pytest.raises(EngineError, match=r"^the machine hiccups$"):
        breaking(range(at, 10_000))(["fine film", "dreadful"] * 200, on_error=on_error)
    assert {*threading.enumerate()} <= before | {thread for thread in threading.enumerate() if thread.daemon}
