"""The interface between a family and the rest of the export: a checkpoint's model, whatever its architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor, nn

    from sentiment_edge_runtimes.vocabulary import Activation, Padding, Truncation


def lengths_up_to(longest: int, lengths: Iterable[int]) -> tuple[int, ...]:
    """Return the lengths below the longest, then the longest: the `lengths` of a form."""
    return (*(length for length in lengths if length < longest), longest)


@dataclass(frozen=True)
class TracedForm:
    """A module made for tracing, which computes the same function as the original definition."""

    module: nn.Module
    """Maps int64 ids and mask, both [batch, length], to the outputs in their order."""
    lengths: tuple[int, ...]
    """Numbers of tokens that batches are padded to, ascending; the last is the model's maximum length, and the only one where
    the classifier is unpadded."""
    promised_nodes: dict[str, int]
    """The least number of nodes of each type that its graph must have."""
    notes: tuple[str, ...] = ()
    """Remarks on this form for the user, a sentence each."""


@dataclass(frozen=True)
class TorchClassifier:
    """A checkpoint's model in torch: its original definition, and modules made for tracing that compute the same function."""

    family: str
    reference: Callable[[Tensor], Tensor]
    """The original definition: maps one text's token ids, int64 [length], to logits [classes]."""
    make_form: Callable[[bool], TracedForm]
    """Makes the module to trace: each attention fused into one node where possible (True), or left in its parts (False)."""
    outputs: tuple[str, ...]
    """Names of the traced modules' outputs: `logits` [batch, classes], and for some families `attention` [batch, length]."""
    labels: tuple[str, ...]
    activation: Activation
    """The function that turns logits into probabilities."""
    max_length: int
    pad_id: int
    padding: Padding
    truncation: Truncation
    calibrated: bool = False
    """Whether int8 weights are fitted to calibration texts: worthwhile where the errors of many layers add up."""
    attention_heads: int = 0
    """The heads of an attention whose memory grows with the square of the length; 0 for none."""
    notes: tuple[str, ...] = ()
    """Remarks on the checkpoint for the user, a sentence each."""

    def grid(self, form: TracedForm) -> tuple[int, ...] | None:
        """Return the lengths that batches of a form are padded to, ascending; None for a model that must not be padded."""
        return None if self.padding == "unpadded" else form.lengths
