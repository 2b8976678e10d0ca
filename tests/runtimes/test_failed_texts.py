"""Texts that cannot be answered, through the Python interface: by the tokenizer's fault, the engine's, or the model's."""

from __future__ import annotations

import json
import pickle
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.support import put_file

from sentiment_edge import EngineError, FailedPrediction, InputError, OptionError, Prediction, TextError, load
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE, Classifier
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.running import life

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.engines.engine import Outputs

VOCABULARY: dict[str, int] = json.loads((DEFAULT_BUNDLE / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
FINE = ["I loved it.", "Dreadful.", "a film"]
BAD = "a banana film"
BAD_ID = VOCABULARY["banana"] if "banana" in VOCABULARY else VOCABULARY["film"]


def with_tokenizer(folder: Path, **changes: object) -> Path:
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    put_file(folder, "tokenizer.json", json.dumps(tokenizer | changes).encode())
    return folder


@pytest.fixture
def unlucky(bundle_folder: Path) -> Classifier:
    return load(with_tokenizer(bundle_folder, normalizer=CATASTROPHIC))


@pytest.fixture
def out_of_range(bundle_folder: Path) -> Classifier:
    """A classifier whose tokenizer has a word that the model has no embedding for: the engine fails on it."""
    model = json.loads((bundle_folder / "tokenizer.json").read_text("utf-8"))["model"]
    model["vocab"]["zzz"] = 2**31
    return load(with_tokenizer(bundle_folder, model=model))


class Spoilt:
    """A real engine, but for what `spoil` does to its outputs."""

    def __init__(self, spoil: Callable[[NDArray[np.int64], Outputs], Outputs], *arguments: Any) -> None:
        self._engine, self._spoil = open_engine(*arguments), spoil
        self.lengths, self.runs = self._engine.lengths, 0

    def sharing(self, texts: int) -> tuple[Spoilt, int]:
        return self, self._engine.sharing(texts)[1]

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        self.runs += 1
        return self._spoil(input_ids, self._engine(input_ids, attention_mask))


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Classifier, list[Spoilt]]]:
    def make(spoil: Callable[[NDArray[np.int64], Outputs], Outputs]) -> tuple[Classifier, list[Spoilt]]:
        opened: list[Spoilt] = []

        def opening(*arguments: Any) -> Spoilt:
            opened.append(Spoilt(spoil, *arguments))
            return opened[-1]

        monkeypatch.setattr(life, "open_engine", opening)
        return load(engine="onnxruntime"), opened

    return make


@pytest.fixture(params=["unlucky", "out_of_range"])
def failing(request: pytest.FixtureRequest) -> tuple[Classifier, str, str]:
    """A classifier, a text that it cannot answer, and the reason."""
    text, reason = (UNLUCKY, "the tokenizer failed on") if request.param == "unlucky" else ("zzz film", "the engine failed on")
    return request.getfixturevalue(request.param), text, reason


def test_one_text_raises(failing: tuple[Classifier, str, str]) -> None:
    classifier, text, reason = failing
    with pytest.raises(TextError, match=f"^{reason} this text") as failure:
        classifier(text)
    assert failure.value.position is None
    assert "\n" not in str(failure.value)
    assert [classifier(fine).label for fine in FINE]


def test_of_several_the_first_is_named(failing: tuple[Classifier, str, str]) -> None:
    classifier, text, reason = failing
    texts = [*FINE, text, "fine", text]
    for call in (classifier, classifier.logits, lambda texts: [*classifier.stream(texts)]):
        with pytest.raises(TextError, match=rf"^texts\[3\]: {reason} this text") as failure:
            call(texts)
        assert failure.value.position == 3
        copied = pickle.loads(pickle.dumps(failure.value))  # noqa: S301
        assert (str(copied), copied.position, copied.problem) == (str(failure.value), 3, failure.value.problem)
    with pytest.raises(TextError, match=r"^texts\[1500\]: "):
        [*classifier.stream(["fine"] * 1500 + [text])]


def test_it_may_be_returned_in_its_place(failing: tuple[Classifier, str, str]) -> None:
    classifier, text, reason = failing
    texts = [text, *FINE, text]
    expected = classifier(FINE)
    for answers in (classifier(texts, on_error="return"), [*classifier.stream(texts, on_error="return")]):
        assert [answer.label for answer in answers] == [None, *(prediction.label for prediction in expected), None]
        failed = answers[0]
        assert isinstance(failed, FailedPrediction)
        assert failed.error.startswith(f"{reason} this text")
        assert failed.to_dict() == {"label": None, "score": None, "scores": {}, "truncated": False, "error": failed.error}
        assert {*failed.to_dict()} - {"error"} == {*expected[0].to_dict()}
        assert isinstance(answers[1], Prediction)


def test_an_item_that_is_not_a_string_is_raised_always(classifier: Classifier) -> None:
    mixed: Any = ["fine", 3]
    for call in (classifier, classifier.stream):
        with pytest.raises(InputError, match="must be a string, not int") as failure:
            [*call(mixed, on_error="return")]
        assert not isinstance(failure.value, TextError)


@pytest.mark.parametrize("choice", ["ignore", None, True])
def test_other_ways_are_refused(classifier: Classifier, choice: Any) -> None:
    with pytest.raises(OptionError, match=r"`on_error`: .* is not one of raise, return"):
        classifier(["a"], on_error=choice)
    with pytest.raises(OptionError, match="`on_error`"):
        next(classifier.stream(["a"], on_error=choice))


def _without_numbers(ids: NDArray[np.int64], outputs: Outputs) -> Outputs:
    bad = (ids == BAD_ID).any(axis=1)
    return outputs._replace(logits=np.where(bad[:, None], np.nan, outputs.logits))


def test_an_answer_that_is_no_number_is_a_failure(spoilt: Callable[..., tuple[Classifier, list[Spoilt]]]) -> None:
    classifier, _ = spoilt(_without_numbers)
    text = next(word for word, index in VOCABULARY.items() if index == BAD_ID)
    assert [answer.label is None for answer in classifier(["fine", text], on_error="return")] == [False, True]
    with pytest.raises(TextError, match="not a number"):
        classifier(text)
    with pytest.raises(TextError, match="not a number"):
        classifier.explain(text)


@pytest.mark.parametrize("logits", [(np.inf, 0), (np.inf, np.inf), (-np.inf, -np.inf), (np.nan, 1)])
def test_infinite_logits_are_no_answer_either(
    spoilt: Callable[..., tuple[Classifier, list[Spoilt]]], logits: tuple[float, float]
) -> None:
    classifier, _ = spoilt(lambda _, outputs: outputs._replace(logits=np.full_like(outputs.logits, logits)))
    (answer,) = classifier(["fine"], on_error="return")
    assert answer.label is None


def test_attention_that_is_no_number_is_not_shown(spoilt: Callable[..., tuple[Classifier, list[Spoilt]]]) -> None:
    classifier, _ = spoilt(lambda _, outputs: outputs._replace(attention=np.full((1, 128), np.nan, np.float32)))
    with pytest.raises(TextError, match="not a number"):
        classifier.explain("fine")


def _fails(_: NDArray[np.int64], outputs: Outputs) -> Outputs:
    raise EngineError(f"broken, whatever the text ({outputs.logits.shape})")


@pytest.mark.parametrize("on_error", ["raise", "return"])
def test_an_engine_that_fails_on_everything_ends_a_stream_at_once(
    spoilt: Callable[..., tuple[Classifier, list[Spoilt]]], on_error: Any
) -> None:
    classifier, opened = spoilt(_fails)
    with pytest.raises(EngineError, match="broken, whatever the text"):
        next(classifier.stream(repeat("fine"), on_error=on_error))
    assert opened[0].runs < 200


def test_an_engine_that_fails_on_all_but_the_simplest_text_is_given_up(
    spoilt: Callable[..., tuple[Classifier, list[Spoilt]]],
) -> None:
    def fails(ids: NDArray[np.int64], outputs: Outputs) -> Outputs:
        if (ids == VOCABULARY["film"]).any():
            raise EngineError("broken at films")
        return outputs

    classifier, opened = spoilt(fails)
    with pytest.raises(EngineError, match="broken at films"):
        next(classifier.stream([f"film {number}" for number in range(1000)], on_error="return"))
    assert opened[0].runs < 200
    assert [answer.label is None for answer in classifier(["film", "fine"], on_error="return")] == [True, False]


def test_a_sound_call_runs_each_text_once(spoilt: Callable[..., tuple[Classifier, list[Spoilt]]]) -> None:
    classifier, opened = spoilt(lambda _, outputs: outputs)
    classifier(["fine"] * 64)
    runs = opened[0].runs
    [*classifier.stream(["fine"] * 64, on_error="return")]
    assert opened[0].runs == 2 * runs
