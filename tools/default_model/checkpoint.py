"""The student's files, as `sentiment-edge export` reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from safetensors.torch import save_file

from sentiment_edge_export.families.gru_attention import MAX_LENGTH, GruAttention
from tools.default_model.pieces import SPECIAL

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

_LABELS = ("negative", "positive")


def write_checkpoint(folder: Path, tokenizer: Tokenizer, model: GruAttention) -> None:
    """Write config.json, tokenizer.json, tokenizer_config.json and model.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["SentimentClassifierForHuggingFace"],
        "model_type": "sentiment_classifier",
        "vocab_size": model.config.vocab_size,
        "embedding_dim": model.config.embedding_dim,
        "hidden_dim": model.config.hidden_dim,
        "output_dim": model.config.output_dim,
        "n_layers": model.config.n_layers,
        "bidirectional": True,
        "pad_idx": 0,
        "id2label": {str(index): label for index, label in enumerate(_LABELS)},
        "label2id": {label: index for index, label in enumerate(_LABELS)},
    }
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    special = dict(zip(names, SPECIAL, strict=True))
    settings = {"do_lower_case": True, "model_max_length": MAX_LENGTH, "tokenizer_class": "BertTokenizer", **special}
    for name, content in {"config.json": config, "tokenizer_config.json": settings}.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
