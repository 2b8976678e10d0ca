"""What the export needs to know of a classifier, whatever its family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from sentiment_edge_runtimes.vocabulary import Activation, Padding, Truncation


@dataclass(frozen=True)
class TorchClassifier:
    """A checkpoint's model in torch: its original definition, and a module of the same function made for tracing."""

    family: str
    reference: Callable[[Tensor], Tensor]
    """The original definition: logits [classes] of one text's token ids, int64 [length]."""
    traced: nn.Module
    """The outputs, in order, of int64 ids and mask, both [batch, length]."""
    outputs: tuple[str, ...]
    """Names of the traced module's outputs: `logits` [batch, classes], then perhaps `attention` [batch, length]."""
    labels: tuple[str, ...]
    activation: Activation
    """What makes probabilities of the logits."""
    max_length: int
    lengths: tuple[int, ...]
    pad_id: int
    padding: Padding
    truncation: Truncation
    promised_nodes: dict[str, int]
    """How many nodes of each type the exported graph must have."""
    calibrated: bool = False
    """Whether int8 weights are rounded for typical activations: worth it where the errors of many layers add up."""
    notes: tuple[str, ...] = ()
    """What the user should know about the export, a sentence each."""
