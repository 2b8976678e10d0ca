"""The parts of the default model's training that decide what it learns: texts, answers, word pieces, temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.word_pieces import LETTERS, word_piece_tokenizer
from hypothesis import given
from hypothesis import strategies as st

from tools.default_model.calibration import fit_temperature
from tools.default_model.pieces import SPECIAL, trim_tokenizer
from tools.default_model.products import BLAME, FACT, PRAISE, write_sentences
from tools.default_model.terms import swap_terms
from tools.default_model.texts import Example, as_written, plain, plain_forms, read_texts
from tools.default_model.transfer import TransferSet, make_transfer_set
from tools.default_model.variations import misspell

if TYPE_CHECKING:
    from pathlib import Path

SENTENCES = [
    "a fine film",
    "it 's a mess",
    "the waiter was kind .",
    "he never smiles",
    "nothing works",
    "a dull story about people",
]


@pytest.fixture(scope="module")
def transfer() -> TransferSet:
    examples = [Example(text, number % 2, "tweets" if number > 3 else "sst2") for number, text in enumerate(SENTENCES)]
    return make_transfer_set(examples, frozenset([plain("nothing works")]), 500, seed=1)


def write_data(folder: Path, sentences: list[str]) -> Path:
    """Write the tables that the training reads, with these sentences and no more in SST-5's training rows."""
    for name in ("sst2", "sst5", "tweet-sentiment", "imdb"):
        (folder / name).mkdir(parents=True)
    rows = "".join(f"{text}\t1\tpositive\n" for text in sentences)
    phrases = "".join(f"{' '.join(text.split()[:3])} \t1\n" for text in sentences if "measured" not in text)
    (folder / "sst2" / "train.tsv").write_text(f"sentence\tlabel\n{phrases}")
    (folder / "sst2" / "dev.tsv").write_text("sentence\tlabel\nit 's measured on here .\t1\n")
    (folder / "sst5" / "sst5.train.tsv").write_text(f"sentence\tlabel5\tlabel3\n{rows}".replace("\t1\t", "\t3\t"))
    (folder / "sst5" / "sst5.dev.tsv").write_text("sentence\tlabel5\tlabel3\n")
    for split in ("train", "test"):
        (folder / "tweet-sentiment" / f"{split}.csv").write_text("textID,text,selected_text,sentiment\n1,meh,meh,neutral\n")
    (folder / "imdb" / "test-1000.tsv").write_text("text\tlabel\n")
    return folder


def test_what_is_measured_on_or_held_back_is_not_trained_on(tmp_path: Path) -> None:
    sentences = [f"word{number} and thing{number} are fine number {number}" for number in range(200)]
    found = read_texts(write_data(tmp_path, [*sentences, "It's measured on HERE"]))
    trained = "\n".join(each.text for each in found.train)
    assert "measured" not in trained
    assert "meh" not in trained  # the test rows of the tweets have it
    held_back = [each.text for each in found.held_back]
    assert held_back
    assert len(held_back) < 40
    for text in held_back:
        assert " ".join(text.split()[:3]) not in trained.splitlines()


def test_no_text_that_is_measured_on_is_learned_from(transfer: TransferSet) -> None:
    assert all(plain(text) != plain("nothing works") for text in transfer.texts)
    assert "it's a mess" in transfer.asked  # as people write it


def test_what_must_not_matter_keeps_the_answer(transfer: TransferSet) -> None:
    margins = np.linspace(-5, 5, len(transfer.asked), dtype=np.float32)
    targets = transfer.targets(margins, {True: 2.0, False: 0.5})
    assert len(targets) == len(transfer.texts)
    for (_, number), target in zip(transfer.copies, targets[len(transfer.asked) :], strict=True):
        assert target == targets[number]


def test_targets(transfer: TransferSet) -> None:
    margins = np.full(len(transfer.asked), -3, np.float32)
    targets = dict(zip(transfer.asked, transfer.targets(margins, {True: 2.0, False: 0.5})[: len(transfer.asked)], strict=True))
    assert targets["a fine film"] == pytest.approx(-1.5)
    assert targets["a dull story about people"] == pytest.approx(-6)
    wanted = {PRAISE: 1.5, BLAME: -3, FACT: 0}
    for number, kind in transfer.kinds.items():
        assert targets[transfer.asked[number]] == wanted[kind]


def test_sentences_have_no_slot_left_and_are_the_same_again() -> None:
    sentences = list(write_sentences(2000, 3))
    assert sentences == list(write_sentences(2000, 3))
    assert not any(mark in text for text, _ in sentences for mark in "{}")
    assert {kind for _, kind in sentences} == {PRAISE, BLAME, FACT}


def test_terms_are_put_in_and_nothing_else_changes() -> None:
    texts = ["The waiter was kind.", "She is here.", "Nobody."]
    swapped = list(swap_terms(texts, 20, 0))
    assert {number for _, number in swapped} == {0, 1}
    for text, number in swapped:
        assert text.endswith({0: "was kind.", 1: "is here."}[number])
        assert text != texts[number]


@given(st.lists(st.text(max_size=30), max_size=5), st.integers(0, 99))
def test_any_text_can_be_misspelled(texts: list[str], seed: int) -> None:
    for text, number in misspell(texts, 1.0, seed):
        assert len(text.split()) == len(texts[number].split())
    for text in texts:
        assert isinstance(as_written(text), str)


def test_fewer_pieces(tmp_path: Path) -> None:
    whole = word_piece_tokenizer(["film", "fine", "mess", "##es"])
    whole.save(str(tmp_path / "tokenizer.json"))
    trimmed, old = trim_tokenizer(tmp_path, ["film film mess messes"], len(SPECIAL) + LETTERS + 2)
    assert [trimmed.id_to_token(number) for number in range(len(SPECIAL))] == list(SPECIAL)
    assert trimmed.get_vocab_size() == len(old) == len(SPECIAL) + LETTERS + 2
    assert trimmed.encode("film").tokens == ["[CLS]", "film", "[SEP]"]
    assert [old[number] for number in trimmed.encode("a mess").ids] == whole.encode("a mess").ids
    assert trimmed.encode("fine").tokens == ["[CLS]", "f", "##i", "##n", "##e", "[SEP]"]


@given(st.floats(0.6, 3.5), st.integers(0, 9))
def test_the_temperature_that_was_there_is_found(temperature: float, seed: int) -> None:
    chance = np.random.default_rng(seed)
    margins = chance.normal(0, 3, 20_000).astype(np.float32)
    positive = (chance.random(20_000) < 1 / (1 + np.exp(-margins / temperature))).astype(np.float32)
    assert fit_temperature(margins, positive) == pytest.approx(temperature, rel=0.15)


def test_plain_forms_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("text\tlabel\nIt's GOOD.\t1\n")
    assert plain("it 's good") in plain_forms([tmp_path / "a.tsv"])
