"""The tokenizer is held against another implementation of it, as nothing else can see its faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.tiny_checkpoints import tiny_tokenizer
from helpers.tiny_encoders import tiny_model, write_encoder
from helpers.tokenizer_folders import (
    LETTERS,
    WORD_PIECES,
    byte_pieces,
    word_pieces,
    write_byte_pieces,
    write_settings,
    write_word_pieces,
)
from tokenizers.normalizers import Replace

from sentiment_edge.export import GateOptions, export_model
from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
from sentiment_edge_export.checkpoints.tokenization.reference import TokenizerReference
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.parity.texts import parity_texts
from sentiment_edge_export.parity.tokens import compare_tokenizer, tokenizer_texts
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.vocabulary import TRUNCATIONS, Truncation

OWN = "a text of the user's own"


@dataclass(frozen=True)
class Held(CheckpointTokenizer):
    """A tokenizer whose reference is that of another folder."""

    other: Path

    @property
    def reference(self) -> TokenizerReference:
        return CheckpointTokenizer(self.other).reference


def folder_of(path: Path, **settings: object) -> Path:
    write_settings(path, "bert", tokenizer_config=settings)
    write_word_pieces(path, "tokenizer.json")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "lower", do_lower_case=True)


@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("max_length", [3, 16, 512])
def test_the_same_ids(folder: Path, truncation: Truncation, max_length: int) -> None:
    done = compare_tokenizer(CheckpointTokenizer(folder), [OWN], max_length, truncation)
    assert done.reference.startswith("transformers ") and done.reference.endswith(" BertTokenizer")
    assert done.texts > len(parity_texts()) + 100
    assert not done.differences and not done.notes()


@pytest.mark.parametrize(
    "settings",
    [
        {"do_lower_case": False},
        {"strip_accents": False},
        {"tokenize_chinese_chars": False},
        {"do_lower_case": True, "additional_special_tokens": ["good"]},
    ],
)
def test_another_tokenizer_is_refused(folder: Path, tmp_path: Path, settings: dict[str, object]) -> None:
    other = folder_of(tmp_path / "other", **settings)
    with pytest.raises(CheckpointError) as refusal:
        compare_tokenizer(Held(folder, other), [], 64, "tokenizer")
    message = str(refusal.value)
    assert "\n" not in message and str(folder) in message
    assert "BertTokenizer" in message and "] instead of [" in message and "reads the text '" in message


def test_the_users_own_texts_are_compared(folder: Path, tmp_path: Path) -> None:
    other = folder_of(tmp_path / "other", do_lower_case=True, additional_special_tokens=["users"])
    with pytest.raises(CheckpointError, match="my users own"):
        compare_tokenizer(Held(folder, other), ["my users own"], 64, "tokenizer")


def test_a_difference_beyond_the_models_length_is_none(folder: Path, tmp_path: Path) -> None:
    other = folder_of(tmp_path / "other", do_lower_case=True, additional_special_tokens=["users"])
    compare_tokenizer(Held(folder, other), ["a a a a a a a a users"], 8, "tokenizer")


def test_tokens_that_the_model_cannot_read_are_named(tmp_path: Path) -> None:
    folder = write_settings(tmp_path, "gpt2")
    write_byte_pieces(folder, "tokenizer.json")
    done = compare_tokenizer(CheckpointTokenizer(folder), [], 64, "tokenizer")
    (difference,) = done.differences
    assert "no embedding" in difference.kind and difference.texts == 1
    assert not done.notes()


def test_a_tokenizer_file_alone_is_its_own_reference(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    word_pieces().save(str(path))
    assert compare_tokenizer(CheckpointTokenizer(path), [], 64, "tokenizer").reference == "tokenizer.json itself"


def test_a_class_that_builds_another_tokenizer_is_no_judge(tmp_path: Path) -> None:
    folder = write_settings(tmp_path, "roberta")
    write_word_pieces(folder, "tokenizer.json")
    done = compare_tokenizer(CheckpointTokenizer(folder), [], 64, "tokenizer")
    assert done.reference == "tokenizer.json itself" and not done.differences


def test_added_tokens_are_tried(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, do_lower_case=True, additional_special_tokens=["@User"])
    texts = tokenizer_texts(CheckpointTokenizer(folder))
    assert "a @User b" in texts and "a [MASK] b" in texts


@pytest.mark.parametrize("flag", ["normalized", "single_word"])
def test_flags_of_an_added_token_are_seen(tmp_path: Path, flag: str) -> None:
    other, folder = (
        folder_of(
            tmp_path / str(value),
            do_lower_case=True,
            added_tokens_decoder={str(len(WORD_PIECES)): {"content": "User", "normalized": False, flag: value}},
        )
        for value in (True, False)
    )
    with pytest.raises(CheckpointError, match="in another way"):
        compare_tokenizer(Held(folder, other), [], 64, "tokenizer")


@pytest.mark.parametrize("changed", ["``", "''", "\u0c08", "\U00010400", "\u0308"])
def test_characters_that_another_normalizer_changes_are_seen(tmp_path: Path, changed: str) -> None:
    folder, other = tmp_path / "one.json", tmp_path / "other.json"
    tokenizer = byte_pieces()
    tokenizer.save(str(folder))
    tokenizer.normalizer = Replace(changed, "")
    tokenizer.save(str(other))
    with pytest.raises(CheckpointError, match="in another way"):
        compare_tokenizer(Held(folder, other), [], 512, "tokenizer")


def test_many_added_tokens_are_sampled(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, do_lower_case=True, additional_special_tokens=[f"<{index}>" for index in range(3000)])
    tokenizer = CheckpointTokenizer(folder)
    few = len(tokenizer_texts(CheckpointTokenizer(folder_of(tmp_path / "few", do_lower_case=True))))
    assert 300 < len(tokenizer_texts(tokenizer)) - few <= 4 * 256
    assert len(LETTERS) < len(WORD_PIECES) < tokenizer.library.get_vocab_size()


def test_texts_of_every_kind(folder: Path) -> None:
    texts = tokenizer_texts(CheckpointTokenizer(folder))
    wanted = [
        "É",
        "ﬁ",
        "\u00a0",
        "\u200d",
        "İ",
        "\u0131",
        "ư",
        "ह",
        "的",
        "ف",
        "[SEP]",
        "<s>",
        "  ",
        "\0",
        "½",
        "…",
        "™",
        "\uff21",
    ]
    assert all(any(part in text for text in texts) for part in wanted)
    assert (
        "" in texts
        and any(text.startswith(" ") for text in texts)
        and any(len(text.split()[0]) > 100 for text in texts if text.strip())
    )


def test_the_bundle_names_the_reference(tmp_path: Path) -> None:
    checkpoint = write_encoder(tmp_path / "bert", tiny_model("bert"), tiny_tokenizer())
    report = export_model(str(checkpoint), output=tmp_path / "out", gate=GateOptions(texts=(OWN,)))
    written = json.loads((tmp_path / "out" / "parity.json").read_text("utf-8"))
    assert report.parity.tokenizer is not None
    assert written["tokenizer"] == report.parity.tokenizer.as_json()
    assert written["tokenizer"]["reference"] == Bundle.open(tmp_path / "out").manifest.tokenizer_reference
    assert OWN not in (tmp_path / "out" / "parity.json").read_text("utf-8")


def test_a_sentencepiece_model_beside_a_tokenizer_file(shared: Callable[[str], Path]) -> None:
    pytest.importorskip("sentencepiece")
    tokenizer = CheckpointTokenizer(shared("cases/checkpoints/xlnetj"))
    done = compare_tokenizer(tokenizer, [], 64, "tokenizer")
    assert done.reference.startswith("sentencepiece ")
    assert all("counts" in difference.kind for difference in done.differences)
    assert len(done.notes()) == len(done.differences)
