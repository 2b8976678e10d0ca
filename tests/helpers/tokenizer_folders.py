"""Folders with a tokenizer's files, as they are published, and nothing of a model but what tells the tokenizer's class."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from helpers.tiny_checkpoints import SPECIAL
from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", *"éÉüÜçıß", *"的好", *"!.,'[]@<>/0123456789"]
WORD_PIECES = [*SPECIAL, "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS), "film", "##ing"]
BYTE_PIECES = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "go", "Ġgo", "good"]
MERGES = [("g", "o"), ("Ġ", "go"), ("go", "o"), ("goo", "d")]


def write_settings(folder: Path, model_type: str | None = None, **files: Any) -> Path:
    """Write JSON files by their names without the ending; a config.json that names the model's type, if one is given."""
    folder.mkdir(exist_ok=True)
    contents = {"config": {"model_type": model_type}, **files} if model_type else files
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    return folder


def word_pieces(pieces: list[str] = WORD_PIECES) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def byte_pieces(*, prefix: bool = False) -> Tokenizer:
    vocabulary = {piece: index for index, piece in enumerate([*BYTE_PIECES, "goo"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=prefix)
    return tokenizer


def write_word_pieces(folder: Path, file: str) -> None:
    """Write tokenizer.json, or the vocab.txt of older folders."""
    if file == "tokenizer.json":
        word_pieces().save(str(folder / file))
    else:
        (folder / file).write_text("\n".join(WORD_PIECES) + "\n", "utf-8")


def write_byte_pieces(folder: Path, file: str, *, prefix: bool = False) -> None:
    """Write tokenizer.json, or the vocab.json and merges.txt of older folders."""
    if file == "tokenizer.json":
        byte_pieces(prefix=prefix).save(str(folder / file))
        return
    vocabulary = {piece: index for index, piece in enumerate([*BYTE_PIECES, "goo"])}
    (folder / file).write_text(json.dumps(vocabulary), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{one} {two}\n" for one, two in MERGES), "utf-8")


def tokens(folder: Path, text: str) -> list[str]:
    """What the export makes of a text, without the special tokens at its ends."""
    return list(CheckpointTokenizer(folder).library.encode(text, add_special_tokens=False).tokens)
