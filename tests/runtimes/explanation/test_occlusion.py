"""Occlusion, where the right answer is known: in these models each token adds a number of its own to the logit."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.crafted_tokenizers import crafted, unigram
from helpers.support import put_file
from helpers.word_bundle import MASK, UNKNOWN, positive, put_sums, put_words, word_pieces
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from sentiment_edge import Classifier, EngineError, InputError, OptionError, TextError, load
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.explanation import MOST_RUNS
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentiment_edge_runtimes.prediction import Explanation

WORDS = {
    "good": 1.5,
    "bad": -2.0,
    "film": 0.25,
    "not": -0.75,
    "a": 0.0,
    "!": 0.5,
    "don": -0.125,
    "'": 0.0625,
    "t": -0.5,
    "##s": 0.75,
}
"""Eighths and sixteenths, whose sums are exact in any order."""
LENGTH = 32


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles of these words: with a mask token, without one."""
    made = {}
    for name, mask in (("mask", True), ("no mask", False)):
        folder = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp("words") / "bundle"))
        made[name] = put_words(folder, WORDS, mask=mask, max_length=LENGTH, lengths=[8, LENGTH])
    return made


@pytest.fixture(scope="module")
def classifiers(folders: dict[str, Path]) -> dict[str, Classifier]:
    return {name: load(folder, threads=2) for name, folder in folders.items()}


def expected(explanation: Explanation, tokens: Mapping[str, float], stand_in: float) -> list[float]:
    """The weights that follow by formula from the tokens of each word: `stand_in` takes the place of each."""
    tokenizer = Tokenizer.from_buffer(word_pieces([*WORDS]))
    tokenizer.enable_truncation(LENGTH)
    encoding = tokenizer.encode(explanation.text)
    amounts = [tokens.get(token, 0) for token in encoding.tokens]
    total = sum(amounts)
    sign = 1 if explanation.prediction.label == "positive" else -1
    weights = []
    for word in explanation.tokens:
        own = [
            amount
            for amount, (start, end) in zip(amounts, encoding.offsets, strict=True)
            if start < word.end and end > word.start
        ]
        without = total - sum(own) + stand_in * len(own)
        weights.append(positive(sign * total) - positive(sign * without))
    return weights


TEXTS = st.lists(st.sampled_from([*WORDS, "films", "don't", "unheard", "好", "😀", "good,bad"]), max_size=40).map(" ".join)


@pytest.mark.parametrize("name", ["mask", "no mask"])
@given(text=TEXTS | st.text(st.characters(codec="utf-8"), max_size=20))
def test_weights_follow_by_formula(classifiers: dict[str, Classifier], name: str, text: str) -> None:
    explanation = classifiers[name].explain(text)
    assert explanation.prediction == classifiers[name](explanation.text)
    assert (explanation.method, explanation.runs) == ("occlusion", 1 + len(explanation.tokens))
    stand_in = MASK if name == "mask" else 0
    right = expected(explanation, {**WORDS, "[UNK]": UNKNOWN, "[MASK]": MASK}, stand_in)
    assert [word.weight for word in explanation.tokens] == pytest.approx(right, abs=1e-9)
    assert all(word.token == explanation.text[word.start : word.end] for word in explanation.tokens)


@pytest.mark.parametrize("name", ["mask", "no mask"])
def test_a_word_speaks_for_the_label_or_against_it(classifiers: dict[str, Classifier], name: str) -> None:
    stand_in = MASK if name == "mask" else 0
    explanation = classifiers[name].explain("Not a good film!")
    total = -0.75 + 0 + 1.5 + 0.25 + 0.5
    assert explanation.prediction.score == pytest.approx(positive(total))
    assert {word.token: word.weight for word in explanation.tokens} == {
        word: pytest.approx(positive(total) - positive(total - own + stand_in))
        for word, own in {"Not": -0.75, "a": 0, "good": 1.5, "film": 0.25, "!": 0.5}.items()
    }
    assert [word.token for word in explanation.tokens if word.weight < 0] == ["Not"] + ["a"] * (stand_in > 0)
    bad = {word.token: word.weight for word in classifiers[name].explain("a bad film").tokens}
    assert bad["bad"] > 0 > bad["film"]


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_weighs_the_same(bundle_folder: Path, engine: str) -> None:
    if engine != "onnxruntime":
        pytest.importorskip(engine)
    folder = put_words(bundle_folder, WORDS, engine=engine, max_length=LENGTH, lengths=[8, LENGTH])
    explanation = load(folder, threads=1).explain("I don't like bad films, not a bit 😀!")
    right = expected(explanation, {**WORDS, "[UNK]": UNKNOWN}, MASK)
    assert [word.weight for word in explanation.tokens] == pytest.approx(right, abs=1e-9)
    assert len({*right}) > 4


@pytest.mark.parametrize(
    "changes", [{"batch": 4}, {"lengths": [LENGTH]}, {"padding": "unpadded", "lengths": [LENGTH], "format_version": 2}]
)
def test_fixed_batches_and_texts_that_are_not_padded(bundle_folder: Path, changes: dict[str, Any]) -> None:
    classifier = load(put_words(bundle_folder, WORDS, **{"max_length": LENGTH, "lengths": [8, LENGTH], **changes}))
    explanation = classifier.explain("don't be bad to good films")
    assert [word.weight for word in explanation.tokens] == pytest.approx(
        expected(explanation, {**WORDS, "[UNK]": UNKNOWN}, MASK), abs=1e-9
    )


def test_independent_classes(bundle_folder: Path) -> None:
    explanation = load(put_words(bundle_folder, WORDS, activation="sigmoid")).explain("good")
    (word,) = explanation.tokens
    assert word.weight == pytest.approx(positive(1.5) - positive(MASK))


def test_nothing_but_one_word(bundle_folder: Path, tmp_path: Path) -> None:
    """Without special tokens nothing is left of it: padding is read."""
    (word,) = load(put_words(bundle_folder, WORDS)).explain("good").tokens
    assert (word.token, word.start, word.end) == ("good", 0, 4)
    assert word.weight == pytest.approx(positive(1.5) - positive(MASK))
    bare = put_sums(
        Path(shutil.copytree(bundle_folder, tmp_path / "bare")), word_pieces([*WORDS], mask=False, post_processor=None), WORDS
    )
    (word,) = load(bare).explain("good").tokens
    assert word.weight == pytest.approx(positive(1.5) - positive(0))


@pytest.mark.parametrize("text", ["", "  \n ", "\u200d\ufeff"])
def test_no_word_at_all(classifiers: dict[str, Classifier], text: str) -> None:
    explanation = classifiers["mask"].explain(text)
    assert (explanation.tokens, explanation.runs) == ((), 1)


def test_what_is_not_read_has_no_weight(classifiers: dict[str, Classifier]) -> None:
    explanation = classifiers["mask"].explain("good " * (LENGTH - 3) + "films and bad")
    assert explanation.prediction.truncated
    assert len(explanation.tokens) == LENGTH - 2
    assert (explanation.tokens[-1].token, explanation.text[explanation.tokens[-1].end]) == ("film", "s")
    with_room = classifiers["mask"].explain("good " * (LENGTH - 4) + "films and bad")
    assert with_room.tokens[-1].token == "films"


def test_a_text_far_longer_than_the_model_reads(classifiers: dict[str, Classifier]) -> None:
    explanation = classifiers["no mask"].explain("bad " * 1_000_000)
    assert (len(explanation.tokens), explanation.runs) == (LENGTH - 2, LENGTH - 1)


def test_long_texts_are_weighed_by_spans_and_words(bundle_folder: Path) -> None:
    classifier = load(put_words(bundle_folder, WORDS, mask=False, max_length=4096, lengths=[4096]))
    words = ["a"] * 3000
    words[1234], words[2345] = "good", "bad"
    explanation = classifier.explain(" ".join(words))
    weights = {word.token: word.weight for word in explanation.tokens}
    assert explanation.prediction.label == "negative"
    assert weights["bad"] == pytest.approx(positive(0.5) - positive(-1.5))
    assert max(weights, key=lambda word: abs(weights[word])) == "bad"
    assert 32 < explanation.runs <= MOST_RUNS
    assert " ".join(word.token for word in explanation.tokens) == explanation.text
    assert explanation.tokens == classifier.explain(explanation.text, "occlusion").tokens


@pytest.mark.parametrize("kind", ["WordPiece", "Unigram"])
def test_tokenizers_of_other_kinds(bundle_folder: Path, kind: str) -> None:
    parts = {"model": unigram(), "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}}
    tokenizer = crafted(**parts) if kind == "Unigram" else crafted()
    explanation = load(put_sums(bundle_folder, tokenizer, {"good": 1.0, "film": 0.5})).explain("good film")
    total = {"WordPiece": 1.5, "Unigram": 1.5}[kind]
    assert {word.token: word.weight for word in explanation.tokens} == {
        "good": pytest.approx(positive(total) - positive(total - 1)),
        "film": pytest.approx(positive(total) - positive(total - 0.5)),
    }


def test_the_default_model_sees_masks_as_if_they_were_written() -> None:
    """Tokens of one word each, so that the mask's name in the text is the same."""
    classifier = load(threads=1)
    text = "A dull film with a brilliant cast."
    explanation = classifier.explain(text, "occlusion")
    assert explanation.prediction == classifier(text)
    label = explanation.prediction.label
    for word in explanation.tokens:
        masked = classifier(f"{text[: word.start]}[MASK]{text[word.end :]}")
        assert word.weight == pytest.approx(explanation.prediction.score - masked.scores[label], abs=1e-5)
    strongest = max(explanation.tokens, key=lambda word: abs(word.weight))
    assert strongest.token in {"dull", "brilliant"}


def test_methods(classifiers: dict[str, Classifier], folders: dict[str, Path]) -> None:
    attentive, other = load(threads=1), classifiers["mask"]
    assert attentive.explain("good").method == attentive.explain("good", "attention").method == "attention"
    assert attentive.explain("good", "occlusion").method == other.explain("good").method == "occlusion"
    assert (attentive.explain("good").runs, attentive.explain("good", "occlusion").runs) == (1, 2)
    with pytest.raises(EngineError, match="has no attention to show; `method` occlusion explains any model") as failure:
        other.explain("good", "attention")
    assert str(folders["mask"]) in str(failure.value)
    wrong: Any
    for wrong in ("gradient", None, 3, ["attention"]):
        with pytest.raises(OptionError, match=r"`method`: .* is not one of auto, attention, occlusion"):
            other.explain("good", wrong)
    for wrong in (3, None, ["good"], b"good"):
        with pytest.raises(InputError, match="must be a string"):
            other.explain(wrong)


def test_an_explanation_becomes_json(classifiers: dict[str, Classifier]) -> None:
    found = json.loads(json.dumps(classifiers["mask"].explain("a bad film").to_dict()))
    assert (found["method"], found["runs"]) == ("occlusion", 4)
    assert [token["token"] for token in found["tokens"]] == ["a", "bad", "film"]


@pytest.mark.parametrize(
    ("token", "reason"),
    [("good", "the model's answer to this text is not a number"), ("[MASK]", "without some of its words is not a number")],
)
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_answers_that_are_no_numbers(bundle_folder: Path, token: str, reason: str, number: float) -> None:
    classifier = load(put_words(bundle_folder, {**WORDS, token: number}))
    with pytest.raises(TextError, match=reason):
        classifier.explain("a good film")


def test_a_mask_that_the_model_lacks(bundle_folder: Path) -> None:
    """The engine's failure is the engine's: one error."""
    folder = put_words(bundle_folder, WORDS)
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["vocab"]["[MASK]"] = 2**20
    tokenizer["added_tokens"] = []
    put_file(folder, "tokenizer.json", json.dumps(tokenizer).encode())
    with pytest.raises(EngineError):
        load(folder).explain("a good film")
