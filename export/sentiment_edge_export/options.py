"""What the user may choose about an export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sentiment_edge_runtimes.vocabulary import EngineName, InferencePrecision, Padding, Precision, Quantization


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
