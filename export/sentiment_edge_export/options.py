"""What the user may choose about an export."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from sentiment_edge_export.errors import ExportError
from sentiment_edge_runtimes.bundle import LARGEST_BATCH, SHORTEST

if TYPE_CHECKING:
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.bundle import EngineName, InferencePrecision, Padding, Precision, Quantization


QuietSoftmax = Literal["off", "legacy", "softmax1"]
"""Attention weights of a Burn transformer: ordinary ones; Burn's quiet softmax up to 0.19; and as it is since."""


@dataclass(frozen=True, slots=True)
class BurnOptions:
    """What a Burn transformer's files may not tell; None: as they do, or as the published model's card does."""

    heads: int | None = None
    norm_first: bool | None = None
    quiet_softmax: QuietSoftmax | None = None


NOTHING_OVERRIDDEN = BurnOptions()


@dataclass(frozen=True, slots=True)
class GateOptions:
    """What the bundle must hold to; None: the usual bound."""

    texts: tuple[str, ...] = ()
    """Measured besides the project's own."""
    agreement: float | None = None
    """Least share of texts with torch's label."""
    mean_drift: float | None = None
    """Largest mean drift."""
    logit_difference: float | None = None
    """Largest difference of a logit to torch's."""
    max_fp32_share: float = 0.25
    """Largest share of the weights that may go back to fp32 where int8 misses a bound."""


USUAL_GATE = GateOptions()


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The choices that travel together through an export."""

    precision: Precision = "fp32"
    quantization: Quantization = "per-token"
    """How ONNX Runtime's activations are quantized, where precision is int8."""
    padding: Padding = "packed"
    """Of the GRU."""
    fusion: bool = True
    """Whether attention becomes one node, where it can."""
    fixed_length: int | None = None
    """The only length that texts are padded to, instead of a symbolic one."""
    fixed_batch: int | None = None
    """The only number of texts in a batch, instead of a symbolic one."""
    labels: tuple[str, ...] | None = None
    """Names of the classes, instead of the checkpoint's own."""
    burn: BurnOptions = NOTHING_OVERRIDDEN
    gate: GateOptions = USUAL_GATE
    engines: tuple[EngineName, ...] = ("onnxruntime",)
    """What the bundle holds a model for."""
    inference_precision: InferencePrecision = "f32"
    """What OpenVINO may compute in where it is not int8."""
    calibration: tuple[str, ...] = ()
    """Texts to fit int8 to, instead of the project's own."""


def fix_length(classifier: TorchClassifier, options: ExportOptions) -> TorchClassifier:
    """Return the classifier reading texts of the fixed length only, if there is one.

    Raises:
        ExportError: the model has too few positions for it, or a fixed batch is out of range.
    """
    length, batch = options.fixed_length, options.fixed_batch
    if batch is not None and not 1 <= batch <= LARGEST_BATCH:
        raise ExportError(f"a fixed batch of {batch} texts; it must be 1 to {LARGEST_BATCH}")
    if length is None:
        return classifier
    if not SHORTEST <= length <= classifier.max_length:
        raise ExportError(f"a fixed length of {length} tokens; this model takes {SHORTEST} to {classifier.max_length}")
    if options.padding == "padded" and length != classifier.max_length:
        raise ExportError(f"with --padding padded the model reads {classifier.max_length} tokens, not {length}")
    return replace(classifier, max_length=length, lengths=(length,))
