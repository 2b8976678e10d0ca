"""The student's word pieces: the teacher's, fewer."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_PART = 10_000


def trim_tokenizer(teacher: Path, texts: Sequence[str], size: int) -> tuple[Tokenizer, list[int]]:
    """Return the teacher's tokenizer with the pieces that the texts use most, and each piece's number in the teacher's.

    The special tokens come first, then the pieces of one ASCII character: with these every English word can be spelled.
    """
    whole = json.loads((teacher / "tokenizer.json").read_text("utf-8"))
    vocabulary: dict[str, int] = whole["model"]["vocab"]
    characters = [number for piece, number in vocabulary.items() if len(piece.removeprefix("##")) == 1 and piece.isascii()]
    chosen = dict.fromkeys([vocabulary[name] for name in SPECIAL] + characters)
    for number in _by_use(teacher, texts):
        if len(chosen) < size:
            chosen.setdefault(number)
    old = list(chosen)
    _renumber(whole, {number: new for new, number in enumerate(old)})
    return Tokenizer.from_str(json.dumps(whole)), old


def _by_use(teacher: Path, texts: Sequence[str]) -> list[int]:
    tokenizer = Tokenizer.from_file(str(teacher / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    used = Counter[int]()
    for at in range(0, len(texts), _PART):
        for encoding in tokenizer.encode_batch_fast(list(texts[at : at + _PART]), add_special_tokens=False):
            used.update(encoding.ids)
    return [number for number, _ in sorted(used.items(), key=lambda each: (-each[1], each[0]))]


def _renumber(tokenizer: dict[str, Any], new: dict[int, int]) -> None:
    """Keep these pieces of a tokenizer.json, with these numbers; it neither pads nor truncates then."""
    vocabulary = tokenizer["model"]["vocab"]
    kept = {piece: new[number] for piece, number in vocabulary.items() if number in new}
    tokenizer["model"]["vocab"] = dict(sorted(kept.items(), key=lambda each: each[1]))
    for token in tokenizer["added_tokens"]:
        token["id"] = kept[token["content"]]
    tokenizer["padding"] = tokenizer["truncation"] = None
    for special in tokenizer["post_processor"].get("special_tokens", {}).values():
        special["ids"] = [kept[name] for name in special["tokens"]]
    for end in ("sep", "cls"):
        if isinstance(pair := tokenizer["post_processor"].get(end), list):
            pair[1] = kept[pair[0]]
