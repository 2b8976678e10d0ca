"""The architectures that can be exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sentiment_edge_export.errors import CheckpointError, ExportError
from sentiment_edge_export.families import burn_transformer, electra_classifier, gru_attention, sequence_classification
from sentiment_edge_export.options import NOTHING_OVERRIDDEN

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier


class Family(Protocol):
    """What the module of a family offers."""

    FAMILY: str
    """Its name, as the manifest has it."""

    def recognizes(self, checkpoint: Checkpoint) -> bool:
        """Whether the checkpoint is of this family."""
        ...

    def load_classifier(self, checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
        """Build the checkpoint's model; raise CheckpointError where its files do not fit."""
        ...


_FAMILIES: tuple[Family, ...] = (electra_classifier, sequence_classification, burn_transformer, gru_attention)


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the checkpoint's model in torch.

    Raises:
        CheckpointError: the architecture is unknown, or the files do not fit it.
        ExportError: an option is not for this architecture.
    """
    for family in _FAMILIES:
        if family.recognizes(checkpoint):
            if options.burn != NOTHING_OVERRIDDEN and family.FAMILY != burn_transformer.FAMILY:
                raise ExportError(f"heads, norm and quiet softmax are told of Burn transformers only, not of {family.FAMILY}")
            return family.load_classifier(checkpoint, options)
    stated = checkpoint.architectures or [checkpoint.config.get("model_type", "none stated")]
    raise CheckpointError(
        f"{checkpoint.folder}: unknown architecture ({', '.join(map(str, stated))}); known are ElectraClassifier, "
        "the attention GRU (model_type sentiment_classifier), any ...ForSequenceClassification of transformers, "
        "and records of Burn (model.mpk, .bpk)"
    )
