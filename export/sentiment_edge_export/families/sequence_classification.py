"""The family `sequence-classification`: any encoder of transformers with its sequence classification head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import transformers
from torch import Tensor, nn
from transformers import CONFIG_MAPPING, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, PreTrainedModel

from sentiment_edge_export.checkpoints.labels import read_labels
from sentiment_edge_export.checkpoints.remote_code import check_needs_no_code
from sentiment_edge_export.families.heads import check_by_weights, reads_pairs, unwrap
from sentiment_edge_export.families.transformers_encoder import (
    ENCODER_OPTIONS,
    OutputClasses,
    is_sigmoid,
    load_weights,
    make_classifier,
    read_config,
)

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier

FAMILY = "sequence-classification"
KNOWN_BY = "an ...ForSequenceClassification of transformers among the architectures in config.json"
OPTIONS = ENCODER_OPTIONS
_BINARY = 2
_OF_PAIRS = "the config is of a model for pairs of texts; the bundle gives it one text at a time"
_AUTO_CLASS = "AutoModelForSequenceClassification"
_FLOAT_MASKS = ("xlnet",)
"""Models that subtract the mask from 1.0, which the tracer cannot do with a mask of integers."""
_SEGMENTED = ("xlnet",)
"""Models whose tokenizer gave segments other than 0 to a single text, until transformers 5."""
_SEGMENTS = (
    "the bundle puts all tokens into one segment, as transformers 5 does; transformers 4 put the last token into another one, "
    "and a model that was trained so may answer a little differently"
)


class SequenceClassifier(nn.Module):
    """A model of transformers as a function from ids and mask to logits."""

    def __init__(self, model: PreTrainedModel, *, against_zero: bool) -> None:
        super().__init__()
        self.model = model
        self.against_zero = against_zero

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits [batch, classes] of int64 ids and mask, both [batch, length].

        A single output x for two labels becomes the two logits (0, x): their softmax is (1 - sigmoid(x), sigmoid(x)).
        """
        mask = attention_mask.float() if self.model.config.model_type in _FLOAT_MASKS else attention_mask
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=mask).logits
        return torch.cat((torch.zeros_like(logits), logits), dim=1) if self.against_zero else logits


def recognizes(checkpoint: Checkpoint) -> bool:
    """Return whether the config names a sequence classifier; if it names no class, whether transformers has one of its type."""
    if not checkpoint.architectures:
        return str(checkpoint.config.get("model_type")) in CONFIG_MAPPING
    return any(name.endswith("ForSequenceClassification") for name in checkpoint.architectures)


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the model of a checkpoint.

    Raises:
        CheckpointError: weights, config and tokenizer do not fit each other, or the model is a regression.
    """
    check_needs_no_code(
        checkpoint.folder / "config.json", checkpoint.config, _AUTO_CLASS, lambda name: hasattr(transformers, name)
    )
    config = read_config(checkpoint)
    kind: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]
    sigmoid = is_sigmoid(checkpoint, config)
    weights = unwrap(checkpoint.weights, kind.base_model_prefix)
    if not checkpoint.architectures:
        check_by_weights(checkpoint, config, weights)
    model = load_weights(checkpoint, kind, config, weights)
    against_zero = sigmoid and config.num_labels == 1 and len(options.source.labels or ()) == _BINARY
    labels = read_labels(checkpoint, options.source.labels, _BINARY if against_zero else config.num_labels or 0)
    pairs, segmented = reads_pairs(checkpoint.config), config.model_type in _SEGMENTED
    notes = (*labels.notes, *([_OF_PAIRS] if pairs else ()), *([_SEGMENTS] if segmented else ()))
    classes = OutputClasses(labels.names, "sigmoid" if sigmoid and not against_zero else "softmax", notes)
    module = SequenceClassifier(model, against_zero=against_zero).eval()
    return make_classifier(checkpoint, config, module, FAMILY, classes)
