"""Readers of a checkpoint's tokenizer: tokenizer.json, its settings, and the older files that it is converted from."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from helpers.crafted_tokenizers import TEXTS, UNLUCKY
from helpers.support import SHARED
from helpers.tiny_checkpoints import PIECES, SPECIAL

from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
from tools.hostile.damage.raw import damage_bytes
from tools.hostile.damage.text import damage_text
from tools.hostile.damage.tokenizer import damage_tokenizer
from tools.hostile.damage.tree import damage_json
from tools.hostile.reader import Reader
from tools.hostile.readers.checkpoints import seeds, use, write

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_TOKENIZER, _VOCABULARY = "tokenizer.json", "vocab.txt"
_SETTINGS = (
    b'{"tokenizer_class": "BertTokenizer", "do_lower_case": true, "model_max_length": 40, "pad_token": "[PAD]",'
    b' "unk_token": "[UNK]", "cls_token": {"content": "[CLS]", "lstrip": false, "special": true}, "truncation_side": "right",'
    b' "strip_accents": null, "added_tokens_decoder": {"0": {"content": "[PAD]", "special": true}}, "auto_map": {}}'
)
_LISTED = "\n".join([*SPECIAL, *PIECES]).encode() + b"\n"
_OLDER = ("vocab.txt", "vocab.json", "merges.txt", "bpe.codes", "*.model", "*token*.json", "config.json")
_MOST_TOKENS = 40


@cache
def _older() -> list[dict[str, bytes]]:
    """Return files of tokenizers without tokenizer.json: a small one, and those of the cases where they are at hand."""
    found = [{_VOCABULARY: _LISTED, "tokenizer_config.json": _SETTINGS, "special_tokens_map.json": b'{"pad_token": "[PAD]"}'}]
    for folder in sorted((SHARED / "cases/checkpoints").glob("*")):
        paths = {path.name: path for pattern in _OLDER for path in folder.glob(pattern) if path.name != _TOKENIZER}
        found.append({name: path.read_bytes() for name, path in paths.items()})
    return [files for files in found if len(files) > 1]


def _make_tokenizer(random: Random, folder: Path) -> None:
    (folder / _TOKENIZER).write_bytes(damage_tokenizer(random, seeds()["gru"][_TOKENIZER]))


def _make_settings(random: Random, folder: Path) -> None:
    """Write a checkpoint with damaged settings beside its tokenizer.json."""
    write(
        folder,
        {**seeds()[random.choice(("gru", "bert", "electra", "burn"))], "tokenizer_config.json": damage_json(random, _SETTINGS)},
    )


def _make_vocabulary(random: Random, folder: Path) -> None:
    (folder / _VOCABULARY).write_bytes(damage_text(random, _LISTED))


def _make_older(random: Random, folder: Path) -> None:
    files = random.choice(_older())
    name = random.choice([*files])
    damage = damage_json if name.endswith(".json") else damage_bytes if name.endswith(".model") else damage_text
    write(folder, files | {name: damage(random, files[name])})


def _use_folder(folder: Path) -> None:
    _use(CheckpointTokenizer(folder))


def _use_file(folder: Path) -> None:
    _use(CheckpointTokenizer(folder / _VOCABULARY))


def _use(tokenizer: CheckpointTokenizer) -> None:
    tokenizer.check(100_000, _MOST_TOKENS)
    for text in (*TEXTS, UNLUCKY):
        tokenizer.ids(text, _MOST_TOKENS, "tokenizer")
        tokenizer.ids(text, _MOST_TOKENS, "plain")


READERS = {
    "checkpoint, tokenizer.json": Reader(_make_tokenizer, _use_folder),
    "checkpoint, tokenizer_config.json": Reader(_make_settings, use),
    "checkpoint, vocab.txt alone": Reader(_make_vocabulary, _use_file),
    "checkpoint, older tokenizer files": Reader(_make_older, _use_folder),
}
