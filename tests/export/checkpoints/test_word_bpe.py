"""Word-level BPE (PhoBERT, BERTweet): the ids of transformers' Python classes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.refusals import refused
from helpers.tiny_encoders import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_edge import load
from sentiment_edge.export import CheckpointError, export_model
from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
from sentiment_edge_export.checkpoints.tokenization.pieces.from_pieces import BuiltTokenizer, build_from_pieces
from sentiment_edge_export.checkpoints.tokenization.settings import read_settings
from sentiment_edge_export.parity.texts import parity_texts

WORDS = [
    "the",
    "film",
    "good",
    "t@@",
    "h@@",
    "e",
    "g@@",
    "o@@",
    "d",
    "fi@@",
    "l@@",
    "m",
    "go@@",
    "x",
    "@@@",
    "à",
    "s",
    "is",
    "i@@",
]
MERGES = ["t h", "th e</w>", "g o", "go o", "goo d</w>", "f i", "l m</w>", "fi lm</w>", "i s</w>"]
PARTS = [
    "the",
    "film",
    "good",
    "goo",
    "thou",
    " ",
    "\n",
    "  \n\n",
    "\t",
    "\u00a0",
    "\x1c",
    "<mask>",
    "<s>",
    "</w>",
    "@@",
    "@",
    "🙂",
    "à",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=5)), max_size=12).map("".join)


def write_folder(folder: Path, name: str = "PhobertTokenizer", merges: list[str] = MERGES, **stated: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("".join(f"{word} {9 - place}\n" for place, word in enumerate(WORDS)), "utf-8")
    (folder / "bpe.codes").write_text("".join(f"{pair} 7\n" for pair in merges), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name, **stated}))
    (folder / "config.json").write_text('{"model_type": "roberta"}')
    return folder


def built(folder: Path) -> BuiltTokenizer:
    tokenizer = build_from_pieces(read_settings(folder))
    assert tokenizer
    return tokenizer


@pytest.fixture(scope="module", params=["PhobertTokenizer", "BertweetTokenizer"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BuiltTokenizer:
    return built(write_folder(tmp_path_factory.mktemp("words"), request.param))


def test_parity_texts(tokenizer: BuiltTokenizer) -> None:
    for text in [*parity_texts(), *PARTS, "good the film\nfilms isgood"]:
        assert tokenizer.library.encode(text).ids == tokenizer.reference.ids(text)


@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_every_text(text: str, tokenizer: BuiltTokenizer) -> None:
    assert tokenizer.library.encode(text).ids == tokenizer.reference.ids(text)


def test_a_merge_that_the_vocabulary_lacks_stands_for_unknown(tokenizer: BuiltTokenizer) -> None:
    size, unknown = len(WORDS) + 5, 3
    assert tokenizer.library.encode("the").ids == [0, 4, 2]
    ids = tokenizer.library.encode("tho").ids
    assert ids[1] >= size
    assert [tokenizer.copies.get(index, index) for index in ids] == [0, unknown, unknown, 2]
    assert {*tokenizer.copies.values()} == {unknown}
    assert sorted(tokenizer.copies) == [*range(size, size + len(tokenizer.copies))]


def test_a_model_answers_such_a_merge_as_unknown(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "phobert")
    size = len(WORDS) + len(("<s>", "<pad>", "</s>", "<unk>", "<mask>"))
    model = tiny_model("roberta", vocab_size=size, pad_token_id=1, bos_token_id=0, eos_token_id=2)
    model.save_pretrained(folder)
    export_model(str(folder), output=tmp_path / "out")
    texts = ["the good film", "goo", "thou is x", "\u00e0 film s", "unheard of"]
    reference = CheckpointTokenizer(folder).reference
    ids = [reference.ids(text) for text in texts]
    assert max(map(max, ids)) >= size
    unknown = [[index if index < size else 3 for index in each] for each in ids]
    with torch.no_grad():
        expected = [model(torch.tensor([each])).logits[0].numpy() for each in unknown]
    assert np.abs(load(tmp_path / "out").logits(texts) - np.stack(expected)).max() <= 1e-4


def test_a_vocabulary_larger_than_the_embedding_of_a_word_level_model(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "phobert")
    tiny_model("roberta", vocab_size=len(WORDS), pad_token_id=1, bos_token_id=0, eos_token_id=2).save_pretrained(folder)
    refused(folder, tmp_path / "out", f"the embedding {len(WORDS)} rows")


def test_the_published_files(shared: Callable[[str], Path], tmp_path: Path) -> None:
    """Without the cleaning of tweets, golden ids but for the texts that it changes."""
    case = shared("cases/checkpoints/bertweet")
    for name in ("vocab.txt", "bpe.codes", "added_tokens.json"):
        (tmp_path / name).write_bytes((case / name).read_bytes())
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertweetTokenizer"}')
    library = built(tmp_path).library
    rows = [json.loads(line) for line in (case / "golden.jsonl").read_text("utf-8").splitlines()]
    unchanged = {"", "   ", "  two  spaces\tand tab\n newline "}
    assert all(library.encode(row["text"].replace("\n", " ")).ids == row["ids"] for row in rows if row["text"] in unchanged)


def test_cleaned_tweets(tmp_path: Path) -> None:
    is_refused(write_folder(tmp_path / "model", "BertweetTokenizer", normalization=True), "cleans tweets by Python code")


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("vocab.txt", "the 3\nthe 2\n", "not a vocabulary of word-level BPE"),
        ("vocab.txt", "the\n", "not a vocabulary of word-level BPE"),
        ("vocab.txt", "\udcff 3\n", "cannot be read"),
        ("bpe.codes", "th e</w> 3\nt h 2\n", "merges what no line before it makes"),
    ],
)
def test_damaged_files(name: str, contents: str, message: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model")
    (folder / name).write_bytes(contents.encode("utf-8", "surrogateescape"))
    is_refused(folder, message)


def is_refused(folder: Path, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        build_from_pieces(read_settings(folder))
    assert "\n" not in str(caught.value)
