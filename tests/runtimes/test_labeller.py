"""The labeller: the latest text is always answered, rightly, in order and once, whatever threads and callbacks do."""

from __future__ import annotations

import copy
import json
import os
import pickle
import shutil
import threading
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.support import put_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_edge import (
    BundleMissing,
    Classifier,
    EngineError,
    InputError,
    Labeller,
    OptionError,
    Prediction,
    TextError,
    load,
)
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONG = 60
"""Seconds after which something is taken to hang."""
WORDS = ["good", "bad", "film", "not", "😀", ""]
Answer = tuple[str, Prediction]


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Queue[BaseException | None]:
    """The exceptions that would be shown as a thread's."""
    found: Queue[BaseException | None] = Queue()
    monkeypatch.setattr(threading, "excepthook", lambda arguments: found.put(arguments.exc_value))
    return found


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sentiment-edge-labeller"]


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Every labeller that a test closes ends."""
    yield
    for thread in threads():
        thread.join(LONG)
    assert not threads()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    givers=st.lists(st.lists(st.tuples(st.lists(st.sampled_from(WORDS), max_size=8), st.booleans()), max_size=12), max_size=3)
)
def test_the_last_text_is_answered_and_none_wrongly_or_twice(
    classifier: Classifier, givers: list[list[tuple[list[str], bool]]]
) -> None:
    answers: Queue[Answer] = Queue()
    with Labeller(classifier, lambda *answer: answers.put(answer)) as labeller:

        def give(giver: int) -> None:
            for number, (words, pause) in enumerate(givers[giver]):
                labeller.label(" ".join([f"{giver} {number}", *words]))
                if pause:
                    answers.join()

        def drain() -> None:
            while (answer := answers.get(timeout=LONG))[0] != "the last one":
                answers.task_done()
                found.append(answer)
            answers.task_done()
            found.append(answer)

        found: list[Answer] = []
        drainer = threading.Thread(target=drain)
        users = [threading.Thread(target=give, args=(giver,)) for giver in range(len(givers))]
        for thread in (drainer, *users):
            thread.start()
        for thread in users:
            thread.join()
        labeller.label("the last one")
        drainer.join()
    for giver in range(len(givers)):
        numbers = [int(text.split()[1]) for text, _ in found[:-1] if text.split()[0] == str(giver)]
        assert numbers == sorted(set(numbers))
    assert [answer for _, answer in found] == [classifier(text) for text, _ in found]


@pytest.mark.parametrize("bundle", [None, DEFAULT_BUNDLE, str(DEFAULT_BUNDLE)])
def test_it_loads_a_bundle_in_its_own_thread(bundle: Path | str | None, classifier: Classifier) -> None:
    answers: Queue[tuple[Answer, int]] = Queue()
    with Labeller(bundle, lambda *answer: answers.put((answer, threading.get_ident()))) as labeller:
        labeller.label("I loved it.")
        answer, thread = answers.get(timeout=LONG)
    assert answer == ("I loved it.", classifier("I loved it."))
    assert thread != threading.get_ident()


def test_a_text_is_dropped_while_a_newer_one_waits(classifier: Classifier) -> None:
    begun, go_on = threading.Event(), threading.Event()
    answers: Queue[str] = Queue()

    def show(text: str, _: Prediction) -> None:
        answers.put(text)
        begun.set()
        go_on.wait(LONG)

    with Labeller(classifier, show) as labeller:
        labeller.label("first")
        begun.wait(LONG)
        for number in range(1000):
            labeller.label(f"dropped {number}")
        labeller.label("latest")
        go_on.set()
        assert [answers.get(timeout=LONG) for _ in range(2)] == ["first", "latest"]
    assert answers.empty()


def test_what_a_callback_raises_is_reported_and_ends_nothing(
    classifier: Classifier, reported: Queue[BaseException | None]
) -> None:
    def fail(text: str, _: Prediction) -> None:
        raise KeyError(text) if text != "exit" else SystemExit

    with Labeller(classifier, fail) as labeller:
        for text in ("one", "exit", "two"):
            labeller.label(text)
            error = reported.get(timeout=LONG)
            assert isinstance(error, SystemExit) or (isinstance(error, KeyError) and error.args == (text,))


def test_a_text_without_an_answer_goes_to_on_error(bundle_folder: Path, reported: Queue[BaseException | None]) -> None:
    tokenizer = json.loads((bundle_folder / "tokenizer.json").read_text("utf-8"))
    put_file(bundle_folder, "tokenizer.json", json.dumps(tokenizer | {"normalizer": CATASTROPHIC}).encode())
    heard: Queue[tuple[str, Any]] = Queue()
    with Labeller(bundle_folder, lambda *answer: heard.put(answer), on_error=lambda *error: heard.put(error)) as labeller:
        labeller.label(UNLUCKY)
        text, error = heard.get(timeout=LONG)
        assert text == UNLUCKY
        assert isinstance(error, TextError)
        labeller.label("fine")
        assert heard.get(timeout=LONG)[0] == "fine"
    assert reported.empty()
    with Labeller(bundle_folder, lambda *answer: heard.put(answer)) as labeller:
        labeller.label(UNLUCKY)
        assert isinstance(reported.get(timeout=LONG), TextError)
        labeller.label("fine")
        assert heard.get(timeout=LONG)[0] == "fine"


def test_a_bundle_that_cannot_be_loaded_is_said_with_each_text_and_tried_again(tmp_path: Path) -> None:
    heard: Queue[tuple[str, Any]] = Queue()
    with Labeller(tmp_path / "later", lambda *answer: heard.put(answer), on_error=lambda *error: heard.put(error)) as labeller:
        for text in ("one", "two"):
            labeller.label(text)
            named, error = heard.get(timeout=LONG)
            assert named == text
            assert isinstance(error, BundleMissing)
            assert "\n" not in str(error)
        shutil.copytree(DEFAULT_BUNDLE, tmp_path / "new")
        (tmp_path / "new").rename(tmp_path / "later")
        labeller.label("three")
        assert heard.get(timeout=LONG)[1].label in {"negative", "positive"}


def test_closed_it_calls_back_no_more(classifier: Classifier) -> None:
    """But for a callback that has begun."""
    for number in range(30):
        heard: list[str] = []
        labeller = Labeller(classifier, lambda text, _, heard=heard: heard.append(text))  # type: ignore[misc]
        for text in range(number):
            labeller.label(str(text))
        labeller.close()
        before = len(heard)
        labeller.close()
        for thread in threads():
            thread.join(LONG)
        assert len(heard) <= before + 1
        with pytest.raises(EngineError, match="this labeller is closed: make a new one"):
            labeller.label("more")
    assert classifier("I loved it.").label == "positive"  # it was not the labeller's to close


def test_a_callback_may_close_it_and_may_ask_for_more(classifier: Classifier) -> None:
    heard: Queue[str] = Queue()

    def show(text: str, _: Prediction) -> None:
        heard.put(text)
        if len(text) < 5:
            labeller.label(text + "!")
        else:
            labeller.close()

    labeller = Labeller(classifier, show)
    labeller.label("a")
    assert [heard.get(timeout=LONG) for _ in range(5)] == ["a", "a!", "a!!", "a!!!", "a!!!!"]


def test_it_closes_the_classifier_that_it_loaded() -> None:
    known: Queue[Prediction] = Queue()
    labeller = Labeller(None, lambda _, prediction: known.put(prediction))
    labeller.label("I loved it.")
    known.get(timeout=LONG)
    loaded = labeller._classifier  # noqa: SLF001 - nobody else has it
    labeller.close()
    for thread in threads():
        thread.join(LONG)
    assert loaded is not None
    with pytest.raises(EngineError, match="is closed"):
        loaded("I loved it.")


def test_a_classifier_closed_by_its_owner_is_said(classifier: Classifier) -> None:
    heard: Queue[tuple[str, Any]] = Queue()
    own = load()
    with Labeller(own, lambda *answer: heard.put(answer), on_error=lambda *error: heard.put(error)) as labeller:
        labeller.label("I loved it.")
        assert heard.get(timeout=LONG) == ("I loved it.", classifier("I loved it."))
        own.close()
        labeller.label("more")
        assert isinstance(heard.get(timeout=LONG)[1], EngineError)


@pytest.mark.parametrize("text", [None, 3, b"good", ["good"]])
def test_one_string_is_asked_for(classifier: Classifier, text: Any) -> None:
    with (
        Labeller(classifier, lambda *_: None) as labeller,
        pytest.raises(InputError, match=r"^label\(\) takes one text, a string, not "),
    ):
        labeller.label(text)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_works_in_a_forked_process(classifier: Classifier) -> None:
    heard: Queue[str] = Queue()
    with Labeller(classifier, lambda text, _: heard.put(text)) as labeller:
        labeller.label("before")
        assert heard.get(timeout=LONG) == "before"
        child = os.fork()
        if child == 0:
            labeller.label("after")
            os._exit(heard.get(timeout=LONG) != "after")
        assert os.waitpid(child, 0)[1] == 0


class Held:
    """A real classifier that does not answer before it is told to."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.begun, self.released = threading.Event(), threading.Event()

    def warm_up(self) -> None:
        self._classifier.warm_up()

    def __call__(self, text: str) -> Prediction:
        self.begun.set()
        assert self.released.wait(LONG)
        return self._classifier(text)


def test_what_is_answered_after_it_was_closed_calls_nobody_back(classifier: Classifier, reported: Queue[object]) -> None:
    held, answers = Held(classifier), list[str]()
    labeller = Labeller(held, lambda text, _: answers.append(text), on_error=lambda text, _: answers.append(text))  # type: ignore[arg-type]
    labeller.label("under way")
    assert held.begun.wait(LONG)
    labeller.close()
    held.released.set()
    for thread in threads():
        thread.join(LONG)
    assert (answers, reported.empty()) == ([], True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((None, None), "`on_label`: None is not a function"),
        ((None, 5), "`on_label`: 5 is not a function"),
        ((5, print), "`classifier`: 5 is neither a classifier nor the path of a bundle's folder"),
        ((b"bundle", print), "`classifier`: b'bundle' is neither"),
    ],
)
def test_what_it_cannot_use_is_refused_at_once(arguments: Any, named: str) -> None:
    with pytest.raises(OptionError) as raised:
        Labeller(*arguments)
    assert str(raised.value).startswith(named)
    with pytest.raises(OptionError, match="`on_error`: 'no' is not a function"):
        Labeller(None, print, on_error="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_cannot_be_copied(classifier: Classifier, copied: Callable[[Labeller], object]) -> None:
    with Labeller(classifier, print) as labeller, pytest.raises(EngineError, match="cannot be copied or sent to another"):
        copied(labeller)
