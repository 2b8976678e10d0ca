"""The architectures that can be exported: the registry of families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families import burn_transformer, electra_classifier, gru_attention, sequence_classification
from sentiment_edge_export.options import check_taken

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier


class Family(Protocol):
    """The interface that the module of a family offers."""

    FAMILY: str
    """Its name, as the manifest has it."""
    KNOWN_BY: str
    """How its checkpoints can be told, in words."""
    OPTIONS: tuple[str, ...]
    """Options that it takes and that some other family does not."""

    def recognizes(self, checkpoint: Checkpoint) -> bool:
        """Tell whether the checkpoint is of this family."""
        ...

    def load_classifier(self, checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
        """Build the checkpoint's model; raise CheckpointError where its files do not fit."""
        ...


FAMILIES: tuple[Family, ...] = (electra_classifier, sequence_classification, burn_transformer, gru_attention)
"""In the order in which they are asked whether a checkpoint is theirs."""


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the checkpoint's model in torch.

    Raises:
        CheckpointError: the architecture is unknown, or the files do not fit it.
        OptionError: an option does nothing for this architecture.
    """
    family = _find_family(checkpoint)
    check_taken(options, {family.FAMILY: family.OPTIONS for family in FAMILIES}, [family.FAMILY])
    return family.load_classifier(checkpoint, options)


def _find_family(checkpoint: Checkpoint) -> Family:
    for family in FAMILIES:
        if family.recognizes(checkpoint):
            return family
    stated = checkpoint.architectures or [checkpoint.config.get("model_type", "none stated")]
    known = "; ".join(family.KNOWN_BY for family in FAMILIES)
    raise CheckpointError(f"{checkpoint.folder}: unknown architecture ({', '.join(map(str, stated))}); known are: {known}")
