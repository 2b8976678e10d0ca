"""The family `burn-transformer`: an encoder trained in Rust with Burn, whose first token goes to the classes.

The published checkpoint is `WarriorsSami/sentiment-analysis-model`, after Burn's own example of text classification.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sentiment_edge_export.checkpoints.labels import read_labels
from sentiment_edge_export.checkpoints.weights import check_shapes
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families.burn_transformer.config import BurnTransformerConfig, Stated, read_config
from sentiment_edge_export.families.burn_transformer.modules import BurnTransformer
from sentiment_edge_export.families.burn_transformer.records import find_record, read_weights
from sentiment_edge_export.families.burn_transformer.traced import TracedBurnTransformer, is_one_node
from sentiment_edge_export.graph.attention import NODE
from sentiment_edge_export.torch_classifier import TorchClassifier, TracedForm

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
"""Where attention is no kernel, these give a text the same bits too."""
_PADDING = "[PAD]"


def recognizes(checkpoint: Checkpoint) -> bool:
    """Whether the folder holds a record of Burn."""
    return "model_type" not in checkpoint.config and find_record(checkpoint.folder) is not None


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the model of a checkpoint.

    Raises:
        CheckpointError: record, config and tokenizer do not fit each other or the architecture.
    """
    path = find_record(checkpoint.folder)
    if path is None:
        raise CheckpointError(f"{checkpoint.folder}: no record of Burn")
    weights, record = read_weights(path)
    stated = Stated(checkpoint.folder, checkpoint.config, record.version, options.source.burn)
    config = read_config(stated, {name: tuple(tensor.shape) for name, tensor in weights.items()})
    model = _load(checkpoint, config, weights)
    labels = read_labels(checkpoint, options.source.labels, config.n_classes, default=_CARD_LABELS)
    return TorchClassifier(
        family=FAMILY,
        reference=_Reference(model),
        make_form=lambda fused: _trace_form(model, config, one_node=fused and is_one_node(config.quiet_softmax)),
        outputs=("logits",),
        labels=labels.names,
        activation="softmax",
        max_length=config.max_length,
        pad_id=model.pad_id,
        padding="packed",
        truncation="plain",
        calibrated=True,
        notes=(*labels.notes, *_notes(stated, config)),
    )


def _load(checkpoint: Checkpoint, config: BurnTransformerConfig, weights: dict[str, Tensor]) -> BurnTransformer:
    """Build the model with its weights, once the tokenizer fits it."""
    checkpoint.tokenizer.check(config.vocab_size, config.max_length)
    tokenizer = checkpoint.tokenizer.library
    pieces, pad_id = tokenizer.get_vocab_size(with_added_tokens=True), tokenizer.token_to_id(_PADDING)
    if pieces != config.vocab_size or pad_id is None:
        has = f"{pieces} pieces" if pad_id is not None else f"no {_PADDING}"
        raise CheckpointError(
            f"{checkpoint.tokenizer.source}: the tokenizer has {has}, the embedding {config.vocab_size} rows; "
            "give the model's own by `tokenizer`"
        )
    with torch.device("meta"):
        model = BurnTransformer(config, pad_id)
    check_shapes(checkpoint.folder, weights, {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(requires_grad=False)


def _trace_form(model: BurnTransformer, config: BurnTransformerConfig, *, one_node: bool) -> TracedForm:
    lengths = _LENGTHS if one_node else sorted(_LENGTHS + _LENGTHS_IN_PARTS)
    return TracedForm(
        TracedBurnTransformer(model, one_node=one_node).eval(),
        lengths=(*(length for length in lengths if length < config.max_length), config.max_length),
        promised_nodes=_promised_nodes(config, one_node=one_node),
    )


def _promised_nodes(config: BurnTransformerConfig, *, one_node: bool) -> dict[str, int]:
    promised = {
        "LayerNormalization": 0 if config.early_norm else 2 * config.n_layers,
        "Gelu": config.n_layers if config.activation == "Gelu" else 0,
        NODE: config.n_layers if one_node else 0,
    }
    return {kind: count for kind, count in promised.items() if count}


def _notes(stated: Stated, config: BurnTransformerConfig) -> Iterator[str]:
    """Tell what was assumed."""
    if "transformer" not in stated.config and None in (stated.options.heads, stated.options.norm):
        order = "first" if config.norm_first else "last"
        yield f"no config.json of Burn: {config.n_heads} heads and norm {order} are assumed (`heads`, `norm`)"
    if stated.version is None and stated.options.quiet_softmax is None and config.quiet_softmax != "off":
        yield (
            "the record does not tell Burn's version: its quiet softmax is taken for that of before 0.20 "
            "(`quiet_softmax` softmax1 for the later one)"
        )


@dataclass(frozen=True)
class _Reference:
    """The definition over one text."""

    model: BurnTransformer

    @torch.no_grad()
    def __call__(self, token_ids: Tensor) -> Tensor:
        logits: Tensor = self.model(token_ids[None])[0]
        return logits
