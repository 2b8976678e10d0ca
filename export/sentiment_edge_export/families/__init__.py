"""The families of models that can be exported: one module or folder each, listed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sentiment_edge_export.checkpoints.files import is_file
from sentiment_edge_export.errors import CheckpointError, shown
from sentiment_edge_export.families import burn_transformer, electra_classifier, gru_attention, sequence_classification
from sentiment_edge_export.families.unsupported import explain_head
from sentiment_edge_export.options import check_taken
from sentiment_edge_runtimes.errors import OptionError

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier


class Family(Protocol):
    """The interface that a family's module offers to the export."""

    FAMILY: str
    """Its name in manifests."""
    KNOWN_BY: str
    """A phrase on what tells its checkpoints from others, for messages."""
    OPTIONS: tuple[str, ...]
    """The options that it takes and some other family does not."""

    def recognizes(self, checkpoint: Checkpoint) -> bool:
        """Return whether the checkpoint is of this family."""
        ...

    def load_classifier(self, checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
        """Build the checkpoint's model; raise CheckpointError if its files do not fit."""
        ...


FAMILIES: tuple[Family, ...] = (electra_classifier, sequence_classification, burn_transformer, gru_attention)
"""All families; the first that recognizes a checkpoint loads it."""


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the checkpoint's model in torch.

    Raises:
        CheckpointError: the architecture is unknown, or the files do not fit it.
        OptionError: an option has no effect on this architecture.
    """
    family = _find_family(checkpoint)
    check_taken(options, {family.FAMILY: family.OPTIONS for family in FAMILIES}, [family.FAMILY])
    if options.int8.quantization == "static" and "calibration" not in family.OPTIONS:
        raise OptionError("quantization", f"static scales need calibration, and {family.FAMILY} has none; leave it out")
    return family.load_classifier(checkpoint, options)


def _find_family(checkpoint: Checkpoint) -> Family:
    for family in FAMILIES:
        if family.recognizes(checkpoint):
            return family
    if not is_file(checkpoint.folder / "config.json"):
        raise CheckpointError(
            f"{checkpoint.folder}: no config.json, which tells the architecture; copy it from the weights' origin"
        )
    for name in checkpoint.architectures:
        if does := explain_head(name):
            problem = f"{shown(name)} in config.json has no classifier of texts: {does}"
            raise CheckpointError(f"{checkpoint.folder}: {problem}; fine-tune it as an ...ForSequenceClassification first")
    stated = checkpoint.architectures or [checkpoint.config.get("model_type", "none stated")]
    known = "; ".join(family.KNOWN_BY for family in FAMILIES)
    raise CheckpointError(f"{checkpoint.folder}: unknown architecture ({', '.join(map(shown, stated))}); known are: {known}")
