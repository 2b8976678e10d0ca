"""The architectures that can be exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families import gru_attention

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoint import Checkpoint
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.bundle import Padding


class Family(Protocol):
    """What the module of a family offers."""

    FAMILY: str
    """Its name, as the manifest has it."""

    def recognizes(self, checkpoint: Checkpoint) -> bool:
        """Whether the checkpoint is of this family."""
        ...

    def load_classifier(self, checkpoint: Checkpoint, padding: Padding) -> TorchClassifier:
        """Build the checkpoint's model; raise CheckpointError where its files do not fit."""
        ...


_FAMILIES: tuple[Family, ...] = (gru_attention,)


def load_classifier(checkpoint: Checkpoint, padding: Padding) -> TorchClassifier:
    """Build the checkpoint's model in torch.

    Raises:
        CheckpointError: the architecture is unknown, or the files do not fit it.
    """
    for family in _FAMILIES:
        if family.recognizes(checkpoint):
            return family.load_classifier(checkpoint, padding)
    kind = checkpoint.config.get("model_type", "no model_type")
    known = ", ".join(family.FAMILY for family in _FAMILIES)
    raise CheckpointError(f"{checkpoint.folder}: unknown architecture ({kind}); known are {known}")
