"""Tokenizers that do not fit their model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import burn_writer
from helpers.refusals import refused
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer
from helpers.tiny_encoders import tiny_model, write_encoder
from helpers.torch_answers import logits_of_texts, open_classifier

from sentiment_edge import TextError, load
from sentiment_edge.export import CheckpointError, SourceOptions, export_model
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint

VOCABULARY = [*SPECIAL, *PIECES]
TEXTS = ["the film was good", "it was not a good day!", "bad", "the long film and the long day was bad . . . !"]


def test_a_vocabulary_larger_than_the_embedding(tiny: Path, tmp_path: Path) -> None:
    tiny_tokenizer([*map(str, range(100))]).save(str(tiny / "tokenizer.json"))
    refused(tiny, tmp_path / "out", "has token 103, the embedding 22 rows")


def test_a_tokenizer_without_special_tokens(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    path = folder / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "post_processor": None}))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    export_model(str(folder), output=tmp_path / "out")
    classifier = load(tmp_path / "out")
    np.testing.assert_allclose(classifier.logits(TEXTS), logits_of_texts(folder, TEXTS), atol=1e-4)
    with pytest.raises(TextError, match="no token"):
        classifier([""])


def test_a_tokenizer_that_finds_nothing(tiny: Path, tmp_path: Path) -> None:
    path = tiny / "tokenizer.json"
    nothing = {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}}
    path.write_text(json.dumps({**json.loads(path.read_text()), "post_processor": nothing}))
    refused(tiny, tmp_path / "out", "token")


def test_a_tokenizer_that_leaves_no_room(tiny: Path, tmp_path: Path) -> None:
    path = tiny / "tokenizer.json"
    many = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [],
        "special_tokens": {"[SEP]": {"id": "[SEP]", "ids": [3] * 200, "tokens": ["[SEP]"] * 200}},
    }
    path.write_text(json.dumps({**json.loads(path.read_text()), "post_processor": many}))
    refused(tiny, tmp_path / "out", "adds 200 special tokens to a text, the model reads")


def test_a_tokenizer_that_does_not_work(tiny: Path, tmp_path: Path) -> None:
    path = tiny / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["unk_token"] = "[NOPE]"
    path.write_text(json.dumps(tokenizer))
    refused(tiny, tmp_path / "out", "tokenizer.json does not work")


def test_a_tokenizer_that_adds_what_the_embedding_lacks(tiny: Path, tmp_path: Path) -> None:
    path = tiny / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["post_processor"]["sep"] = ["[SEP]", 9999]
    path.write_text(json.dumps(tokenizer))
    refused(tiny, tmp_path / "out", "has token 9999")


def test_files_of_no_tokenizer_are_not_taken_for_one(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    (folder / "tokenizer.json").unlink()
    (folder / "merges.txt").touch()
    with pytest.raises(CheckpointError, match="tokenizer"):
        open_classifier(folder)


def test_a_tokenizer_of_another_model_is_named(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"), tiny_tokenizer([*PIECES, "more"]))
    with pytest.raises(CheckpointError, match="the tokenizer has token 22, the embedding 22 rows"):
        open_classifier(folder)


class TestGiven:
    """In place of the checkpoint's, or where it has none."""

    @pytest.fixture
    def untokenized(self, tmp_path: Path) -> Path:
        tensors = burn_writer.tiny_tensors(vocabulary=len(VOCABULARY))
        return burn_writer.write_model(tmp_path / "sam", burn_writer.messagepack(tensors))

    def test_a_missing_one_is_named(self, untokenized: Path, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match=r"no tokenizer\.json; .* by `tokenizer`"):
            export_model(str(untokenized), output=tmp_path / "out")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("kind", ["folder", "tokenizer.json", "vocab.txt"])
    def test_one_may_be_given(self, untokenized: Path, tmp_path: Path, kind: str) -> None:
        folder = tmp_path / "tokenizer"
        folder.mkdir()
        tiny_tokenizer().save(str(folder / "tokenizer.json"))
        (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
        source = SourceOptions(tokenizer=folder if kind == "folder" else folder / kind)
        found = find_checkpoint(str(untokenized), source).tokenizer.library
        for text in TEXTS:
            assert found.encode(text).ids == tiny_tokenizer().encode(text).ids
        assert open_classifier(untokenized, source=source).pad_id == 0

    def test_the_one_given_goes_into_the_bundle(self, untokenized: Path, tmp_path: Path) -> None:
        (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
        source = SourceOptions(tokenizer=tmp_path / "vocab.txt")
        export_model(str(untokenized), output=tmp_path / "out", source=source)
        expected = logits_of_texts(untokenized, TEXTS, source=source)
        np.testing.assert_allclose(load(tmp_path / "out").logits(TEXTS), expected, atol=1e-4)

    @pytest.mark.parametrize(("piece", "lowercased"), [("Film", False), ("film", True)])
    def test_a_vocabulary_with_capitals_keeps_them(
        self, untokenized: Path, tmp_path: Path, piece: str, lowercased: bool
    ) -> None:
        pieces = [*SPECIAL, *(piece if word == "film" else word for word in PIECES)]
        vocabulary = tmp_path / "vocab.txt"
        vocabulary.write_text("\n".join(pieces) + "\n", "utf-8")
        lower, upper = logits_of_texts(untokenized, ["film", "Film"], source=SourceOptions(tokenizer=vocabulary))
        assert np.array_equal(lower, upper) is lowercased

    @pytest.mark.parametrize(
        ("name", "contents", "message"),
        [
            ("vocab.txt", "good\nbad\n", "not a vocabulary of BERT"),
            ("vocab.txt", "\n".join(VOCABULARY[:-1]), "21 pieces, the embedding 22 rows"),
            ("vocab.txt", "\n".join([*VOCABULARY, "more"]), "token 22, the embedding 22 rows"),
            ("vocab.txt", b"\xff\xfe", "not a vocabulary"),
            ("vocab.txt", "\n".join([*VOCABULARY[:-2], "\u2028"]), "21 pieces, the embedding 22 rows"),
            ("tokenizer.json", "{}", "not a tokenizer"),
            ("absent.json", None, "no such tokenizer"),
        ],
    )
    def test_one_that_does_not_fit(
        self, untokenized: Path, tmp_path: Path, name: str, contents: str | bytes | None, message: str
    ) -> None:
        path = tmp_path / name
        if contents is not None:
            path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        with pytest.raises(CheckpointError, match=message):
            export_model(str(untokenized), output=tmp_path / "out", source=SourceOptions(tokenizer=path))
        assert not (tmp_path / "out").exists()
