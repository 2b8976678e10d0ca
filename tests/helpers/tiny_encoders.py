"""Tiny encoders of random weights, in the layouts that are published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import CONFIG_MAPPING, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, ElectraConfig, ElectraModel, PreTrainedModel

from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer
from sentiment_edge_export.families.electra_classifier import ElectraClassifier, ElectraHead, SwishGLU

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

VOCABULARY = len(SPECIAL) + len(PIECES)
LAYERS, POSITIONS = 2, 40
_SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "embedding_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "pad_token_id": 0,
    "id2label": {0: "negative", 1: "positive"},
}
_XLNET: dict[str, Any] = {
    **{name: _SIZES[name] for name in ("vocab_size", "pad_token_id", "id2label")},
    "d_model": 32,
    "d_inner": 64,
    "n_layer": LAYERS,
    "n_head": 4,
}
"""It has no table of positions, and so no number of them."""
_DISTILBERT = {"dim": 32, "hidden_dim": 64, "n_layers": LAYERS, "n_heads": 4}


def tiny_model(model_type: str, **changes: Any) -> PreTrainedModel:
    """A classifier whose answers differ between texts."""
    torch.manual_seed(0)
    special: dict[str, dict[str, Any]] = {
        "distilbert": _DISTILBERT,
        "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    }
    sizes = _XLNET if model_type == "xlnet" else _SIZES
    config = CONFIG_MAPPING[model_type](**{**sizes, **special.get(model_type, {}), **changes})
    model: PreTrainedModel = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)](config)  # type: ignore[operator]
    liven(model)
    model.train(mode=False)
    return model


def liven(model: nn.Module) -> None:
    """Make weights as large as training would."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.25)
            else:
                parameter.add_(0.1 * torch.randn_like(parameter))


def write_encoder(folder: Path, model: PreTrainedModel, tokenizer: Tokenizer | None = None) -> Path:
    """Write a checkpoint as `save_pretrained` does, with its tokenizer."""
    model.save_pretrained(folder)
    (tokenizer or tiny_tokenizer()).save(str(folder / "tokenizer.json"))
    return folder


def byte_level_tokenizer() -> Tokenizer:
    """As RoBERTa's: every byte is a piece, and so many more ids than `tiny_tokenizer` has."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: index for index, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *alphabet, "go", "ood"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("g", "o")], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def unigram_tokenizer() -> Tokenizer:
    """As XLM-R's: pieces with scores."""
    words = [f"\N{LOWER ONE EIGHTH BLOCK}{piece}" for piece in PIECES if piece.isalpha()]
    scored = [(piece, -float(index)) for index, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *words])]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=3, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def tiny_electra(
    pooling: str = "mean", activation: nn.Module | None = None, *, layers: int = 2, dropout: bool = True
) -> ElectraClassifier:
    torch.manual_seed(0)
    electra = ElectraModel(ElectraConfig(**_SIZES))
    head = ElectraHead(32, 24, layers, 3, SwishGLU(24) if activation is None else activation, dropout=dropout)
    module = ElectraClassifier(electra, pooling, head).eval()
    liven(module)
    return module


def electra_weights(module: ElectraClassifier) -> dict[str, Tensor]:
    """The tensors by their published names: what the activation holds, once only."""
    published: dict[str, Tensor] = {}
    for name, tensor in module.state_dict().items():
        if all(tensor.data_ptr() != other.data_ptr() for other in published.values()):
            published[name] = tensor
    return published


def write_electra(folder: Path, module: ElectraClassifier, weights: dict[str, Tensor] | None = None, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    stated = {
        **_SIZES,
        "architectures": ["ElectraClassifier"],
        "model_type": "electra",
        "id2label": {"0": "negative", "1": "neutral", "2": "positive"},
        "pooling": module.pooling,
        "hidden_activation": "SwishGLU",
        "hidden_dim": 24,
        "num_layers": 2,
        "dropout_rate": 0.3,
        **changes,
    }
    (folder / "config.json").write_text(json.dumps(stated), "utf-8")
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    save_file(electra_weights(module) if weights is None else weights, folder / "model.safetensors")
    return folder
