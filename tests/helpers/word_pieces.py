"""A WordPiece tokenizer of few words that can spell all others, with the special tokens of BERT."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from tools.default_model.pieces import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

LETTERS = 2 * len(string.ascii_lowercase)
"""Pieces of one letter, at the start of a word or inside it."""


def word_piece_tokenizer(words: Sequence[str]) -> Tokenizer:
    """Its special tokens stand in another order than the default model's; then come these words, then the letters."""
    letters = [mark + letter for mark in ("", "##") for letter in string.ascii_lowercase]
    pieces = {piece: number for number, piece in enumerate([*SPECIAL[::-1], *words, *letters])}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(SPECIAL))
    closing = [(name, pieces[name]) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=closing)
    return tokenizer
