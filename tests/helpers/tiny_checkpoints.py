"""Tiny checkpoints of random weights, in the published layout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from sentiment_edge_export.families.gru_attention import GruAttention, GruAttentionConfig

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
PIECES = [
    "good",
    "bad",
    "film",
    "the",
    "was",
    "not",
    "it",
    "a",
    "i",
    "!",
    ".",
    ",",
    "##s",
    "##ly",
    "long",
    "day",
    "and",
    "parts",
]


def tiny_tokenizer(pieces: list[str] = PIECES) -> Tokenizer:
    vocabulary = {piece: index for index, piece in enumerate([*SPECIAL, *pieces])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def tiny_weights(**sizes: int) -> dict[str, Tensor]:
    """Random weights, large enough that texts get different labels, clear-cut ones."""
    torch.manual_seed(0)
    standard = {"embedding_dim": 12, "hidden_dim": 20, "attention_dim": 16, "feed_forward_dim": 24, "output_dim": 2}
    model = GruAttention(GruAttentionConfig(**{"vocab_size": len(SPECIAL) + len(PIECES), **standard, **sizes}))
    weights = model.eval().state_dict()
    weights["embedding.weight"] *= 4
    weights["fc2.weight"] *= 60
    with torch.no_grad():
        weights["fc2.bias"] -= model(torch.randint(2, model.config.vocab_size, (50, 6)))[0].mean(dim=0)
    return {name: tensor.contiguous() for name, tensor in weights.items()}


def write_checkpoint(folder: Path, weights: dict[str, Tensor], **config: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "sentiment_classifier", **config}))
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    save_file(weights, folder / "model.safetensors")
    return folder
