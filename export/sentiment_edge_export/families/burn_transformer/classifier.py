"""A Burn transformer as the export needs it: from a checkpoint to a `TorchClassifier`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sentiment_edge_export.checkpoints.labels import read_labels
from sentiment_edge_export.checkpoints.weights import build_model
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families.burn_transformer.config import BurnTransformerConfig, ConfigSources, read_config
from sentiment_edge_export.families.burn_transformer.modules import BurnTransformer
from sentiment_edge_export.families.burn_transformer.records import find_record, read_weights
from sentiment_edge_export.families.burn_transformer.traced import TracedBurnTransformer, is_one_node
from sentiment_edge_export.graph.attention import NODE
from sentiment_edge_export.torch_classifier import TorchClassifier, TracedForm, lengths_up_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions

FAMILY = "burn-transformer"
KNOWN_BY = "a record of Burn (model.mpk, .bpk)"
OPTIONS: tuple[str, ...] = ("fusion", "calibration", "heads", "norm", "quiet_softmax")
_CARD_LABELS = ("Negative", "Neutral", "Positive")
_LENGTHS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224)
_LENGTHS_IN_PARTS = (12, 20, 28)
"""Lengths that keep a text's logits the same to the last bit only if attention is not one node."""
_PAD = "[PAD]"


def recognizes(checkpoint: Checkpoint) -> bool:
    """Return whether the folder holds a Burn record."""
    return "model_type" not in checkpoint.config and find_record(checkpoint.folder) is not None


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the model of a checkpoint.

    Raises:
        CheckpointError: record, config and tokenizer do not fit each other or the architecture.
    """
    path = find_record(checkpoint.folder)
    if path is None:
        raise CheckpointError(f"{checkpoint.folder}: no Burn record here")
    weights, record = read_weights(path)
    sources = ConfigSources(checkpoint.folder, checkpoint.config, record.version, options.source.burn)
    config = read_config(sources, {name: tuple(tensor.shape) for name, tensor in weights.items()})
    pad_id = _check_tokenizer(checkpoint, config)
    model = build_model(checkpoint.folder, lambda: BurnTransformer(config, pad_id), weights)
    labels = read_labels(checkpoint, options.source.labels, config.n_classes, default=_CARD_LABELS)
    return TorchClassifier(
        family=FAMILY,
        reference=_Reference(model),
        make_form=lambda fused: _trace_form(model, config, one_node=fused and is_one_node(config.quiet_softmax)),
        outputs=("logits",),
        labels=labels.names,
        activation="softmax",
        max_length=config.max_length,
        pad_id=pad_id,
        padding="packed",
        truncation="plain",
        calibrated=True,
        attention_heads=config.n_heads,
        notes=(*labels.notes, *_notes(sources, config)),
    )


def _check_tokenizer(checkpoint: Checkpoint, config: BurnTransformerConfig) -> int:
    """Check that the tokenizer fits the model, and return the id of its padding token."""
    checkpoint.tokenizer.check(config.vocab_size, config.max_length)
    tokenizer = checkpoint.tokenizer.library
    pieces, pad_id = tokenizer.get_vocab_size(with_added_tokens=True), tokenizer.token_to_id(_PAD)
    if pieces != config.vocab_size or pad_id is None:
        has = f"{pieces} pieces" if pad_id is not None else f"no {_PAD}"
        raise CheckpointError(
            f"{checkpoint.tokenizer.source}: the tokenizer has {has}, the embedding {config.vocab_size} rows; "
            "give the model's own by `tokenizer`"
        )
    return int(pad_id)


def _trace_form(model: BurnTransformer, config: BurnTransformerConfig, *, one_node: bool) -> TracedForm:
    lengths = _LENGTHS if one_node else sorted(_LENGTHS + _LENGTHS_IN_PARTS)
    return TracedForm(
        TracedBurnTransformer(model, one_node=one_node).eval(),
        lengths=lengths_up_to(config.max_length, lengths),
        promised_nodes=_promised_nodes(config, one_node=one_node),
    )


def _promised_nodes(config: BurnTransformerConfig, *, one_node: bool) -> dict[str, int]:
    promised = {
        "LayerNormalization": 0 if config.early_norm else 2 * config.n_layers,
        "Gelu": config.n_layers if config.activation == "Gelu" else 0,
        NODE: config.n_layers if one_node else 0,
    }
    return {kind: count for kind, count in promised.items() if count}


def _notes(sources: ConfigSources, config: BurnTransformerConfig) -> Iterator[str]:
    """Yield a sentence on each assumption."""
    if "transformer" not in sources.config and None in (sources.options.heads, sources.options.norm):
        order = "first" if config.norm_first else "last"
        yield (
            f"no config.json of Burn, so {config.n_heads} heads and norm {order} are assumed; "
            "set `heads` and `norm` if they differ"
        )
    if sources.version is None and sources.options.quiet_softmax is None and config.quiet_softmax != "off":
        yield (
            "the record does not tell Burn's version, so the quiet softmax of Burn before 0.20 is assumed; "
            "for a later version set `quiet_softmax` to softmax1"
        )


@dataclass(frozen=True)
class _Reference:
    """The original definition of one text's logits."""

    model: BurnTransformer

    @torch.no_grad()
    def __call__(self, token_ids: Tensor) -> Tensor:
        logits: Tensor = self.model(token_ids[None])[0]
        return logits
