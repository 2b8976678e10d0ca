from __future__ import annotations

import os
import pickle
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sentiment_edge import BundleMissing, Classifier, EngineError, InputError, load
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.engines import selection
from sentiment_edge_runtimes.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = [
    "good",
    "bad",
    "film",
    "was",
    "not",
    "the",
    "very",
    "plot",
    "boring",
    "lovely",
    ",",
    ".",
    "!",
    "unbelievably",
    "never",
    "again",
    "好",
    "😀",
]
BUNDLE = Bundle.open(DEFAULT_BUNDLE)
RANDOM = random.Random(0)
TEXTS = ["", " ", *(" ".join(RANDOM.choices(WORDS, k=RANDOM.randint(1, 160))) for _ in range(150))]

ODD_TEXTS = ["", "\0", "\ud800 alone", "a\r\nb", "x" * 3_000_000, "é" * 200_000, " " * 2_000_000 + "good"]


def test_a_text_gives_a_prediction(classifier: Classifier) -> None:
    prediction = classifier("I absolutely loved this movie!")
    assert prediction.label == "positive"
    assert prediction.score == prediction.scores["positive"] == max(prediction.scores.values())
    assert sum(prediction.scores.values()) == pytest.approx(1, abs=1e-12)
    assert not prediction.truncated
    assert repr(prediction).startswith("Prediction(label='positive', score=0.")


def test_a_list_gives_a_list_in_order(classifier: Classifier) -> None:
    together = classifier(TEXTS)
    assert [prediction.label for prediction in together] == [classifier(text).label for text in TEXTS]
    assert classifier([]) == []
    assert classifier.logits([]).shape == (0, 2)


def test_a_text_gets_the_same_logits_in_any_company(classifier: Classifier) -> None:
    alone = np.concatenate([classifier.logits([text]) for text in TEXTS])
    assert alone.dtype == np.float32
    assert np.abs(classifier.logits(TEXTS) - alone).max() <= 1e-5
    backwards = classifier.logits(TEXTS[::-1])[::-1]
    assert np.abs(backwards - alone).max() <= 1e-5


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_change_the_answers(classifier: Classifier, threads: int) -> None:
    assert np.abs(load(threads=threads).logits(TEXTS) - classifier.logits(TEXTS)).max() <= 1e-5


def test_a_stream_keeps_order_and_reads_little_ahead(classifier: Classifier) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield TEXTS[taken % len(TEXTS)]

    stream = classifier.stream(endless())
    labels = [next(stream).label for _ in range(1100)]
    assert labels == [prediction.label for prediction in classifier([TEXTS[(i + 1) % len(TEXTS)] for i in range(1100)])]
    assert taken <= 3000


def test_a_long_text_is_cut_and_says_so(classifier: Classifier) -> None:
    words = ["good", "bad"] * 300
    prediction = classifier(" ".join(words))
    assert prediction.truncated
    assert prediction == classifier(" ".join(words[:200]))


def test_a_classifier_can_be_shared_by_threads() -> None:
    shared = load()
    expected = [prediction.label for prediction in load()(TEXTS)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(shared, TEXTS))
    assert [answer.label for answer in answers] == expected


class Series:
    """Like a column of a filtered table: iterated in order, indexed by label."""

    def __init__(self, rows: dict[int, str]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, label: int) -> str:
        return self._rows[label]


def test_texts_may_come_in_anything_that_holds_several(classifier: Classifier) -> None:
    expected = classifier(["I loved it.", "Dreadful."])
    for texts in (
        ("I loved it.", "Dreadful."),
        Series({1: "I loved it.", 0: "Dreadful."}),
        np.array(["I loved it.", "Dreadful."]),
    ):
        assert classifier(texts) == expected
    assert classifier(text for text in ("I loved it.", "Dreadful.")) == expected
    assert classifier.logits("Dreadful.").shape == (1, 2)


def test_what_is_no_text_is_named(classifier: Classifier) -> None:
    with pytest.raises(InputError, match="texts must be a string or several, not NoneType"):
        classifier(None)  # type: ignore[call-overload]
    with pytest.raises(InputError, match=r"stream\(\) takes several texts"):
        next(classifier.stream("abc"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("used", [False, True])
def test_a_classifier_survives_a_fork(used: bool) -> None:
    shared = load(threads=2)
    if used:
        shared(TEXTS)
    child = os.fork()
    if child == 0:
        os._exit(0 if shared("I loved it.").label == "positive" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert shared("I loved it.").label == "positive"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_during_the_first_call_does_not_deadlock() -> None:
    shared = load(threads=2)
    with shared._life._opening:  # as if another thread were opening the engine  # noqa: SLF001
        child = os.fork()
        if child == 0:
            os._exit(0 if shared("I loved it.").label == "positive" else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_classifier_can_be_sent_to_another_process(classifier: Classifier) -> None:
    assert pickle.loads(pickle.dumps(classifier))("I loved it.") == classifier("I loved it.")  # noqa: S301


def test_an_explanation_weighs_every_token(classifier: Classifier) -> None:
    text = "Unbelievably  GOOD, naïve 好!"
    explanation = classifier.explain(text)
    assert explanation.prediction == classifier(text)
    assert sum(token.weight for token in explanation.tokens) == pytest.approx(1, abs=1e-5)
    assert (explanation.tokens[0].token, explanation.tokens[-1].token) == ("[CLS]", "[SEP]")
    inner = explanation.tokens[1:-1]
    assert "".join(text[token.start : token.end] for token in inner) == text.replace(" ", "")


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_any_string_is_answered(classifier: Classifier, text: str) -> None:
    assert classifier(text).label in classifier.labels


def test_nothing_at_the_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleMissing, match=r"no bundle here.*sentiment-edge export"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("threads", [0, -3, 1.5, "2", True])
def test_threads_that_are_none_are_refused_before_a_file_is_read(tmp_path: Path, threads: Any) -> None:
    problem = re.escape(f"`threads`: {threads!r} is not a whole number of 1 or more")
    with pytest.raises(OptionError, match=problem):
        load(tmp_path / "nowhere", threads=threads)
    with pytest.raises(OptionError, match=problem):
        Classifier(BUNDLE, threads=threads)


@pytest.mark.parametrize("engine", ["abacus", "ONNXRUNTIME", "", None, 3])
def test_an_engine_that_is_none_is_refused_before_a_file_is_read(tmp_path: Path, engine: Any) -> None:
    problem = re.escape(f"`engine`: {engine!r} is not one of auto, onnxruntime, openvino")
    with pytest.raises(OptionError, match=problem):
        load(tmp_path / "nowhere", engine=engine)
    with pytest.raises(OptionError, match=problem) as refusal:
        Classifier(BUNDLE, engine=engine)
    assert refusal.value.option == "engine"


@pytest.mark.parametrize("bundle", [3, b"bundle", ["bundle"]], ids=str)
def test_a_bundle_that_is_no_path_is_named(bundle: Any) -> None:
    with pytest.raises(OptionError, match=r"^`bundle`: .* is not the path of a folder$"):
        load(bundle)


def test_a_bundle_without_the_engine_says_which_it_has(bundle_folder: Path) -> None:
    with pytest.raises(EngineError, match="no model for openvino in it, only for onnxruntime"):
        load(bundle_folder, engine="openvino")


def test_a_classifier_shows_what_it_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = "Classifier('gru-mini-int8', precision='int8', engine={!r}, labels=('negative', 'positive'))"
    monkeypatch.setattr(selection, "choose", None)  # to show it chooses nothing
    assert repr(load()) == shown.format("auto")
    assert repr(load(engine="onnxruntime")) == shown.format("onnxruntime")
    monkeypatch.undo()
    used = load()
    used("I loved it.")
    assert repr(used) == shown.format("onnxruntime")


def test_a_classifier_of_the_working_folder_is_shown_too(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bundle_folder)
    assert repr(load(".")).startswith("Classifier('.', precision='int8'")
