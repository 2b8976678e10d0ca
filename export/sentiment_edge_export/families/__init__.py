"""The architectures that can be exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families import electra_classifier, gru_attention, sequence_classification

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoint import Checkpoint
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


_FAMILIES: tuple[Family, ...] = (electra_classifier, sequence_classification, gru_attention)


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the checkpoint's model in torch.

    Raises:
        CheckpointError: the architecture is unknown, or the files do not fit it.
    """
    for family in _FAMILIES:
        if family.recognizes(checkpoint):
            return family.load_classifier(checkpoint, options)
    stated = checkpoint.architectures or [checkpoint.config.get("model_type", "none stated")]
    raise CheckpointError(
        f"{checkpoint.folder}: unknown architecture ({', '.join(map(str, stated))}); known are ElectraClassifier, "
        "the attention GRU (model_type sentiment_classifier), and any ...ForSequenceClassification of transformers"
    )
