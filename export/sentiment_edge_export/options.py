"""The options of an export. Each closed set and each range is checked when the options are made.

An option that does not apply to every model, precision and engine is None by default. So a value that would have no effect can
be told from no value, and is refused (`check_taken`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, get_args

from sentiment_edge_export.vocabulary import DEFAULT_FP32_SHARE, Norm, QuietSoftmax
from sentiment_edge_runtimes.errors import OptionError, check_choice
from sentiment_edge_runtimes.limits import LARGEST_BATCH, LARGEST_FIXED_BATCH, LONGEST, SHORTEST
from sentiment_edge_runtimes.vocabulary import (
    DEFAULT_ENGINE,
    ENGINES,
    INFERENCE_PRECISIONS,
    PADDING_CHOICES,
    PRECISIONS,
    QUANTIZATIONS,
    EngineName,
    InferencePrecision,
    PaddingChoice,
    Precision,
    Quantization,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

OF_INT8 = ("quantization", "calibration", "max_fp32_share")
"""Options that have no effect on an fp32 export."""


@dataclass(frozen=True, slots=True)
class BurnOptions:
    """Facts that a Burn transformer's files may lack. The default is as the files say, else as the published model's card."""

    heads: int | None = None
    norm: Norm | None = None
    quiet_softmax: QuietSoftmax | None = None

    def __post_init__(self) -> None:
        """Check every option."""
        _check_whole("heads", self.heads, 1, LONGEST)
        _check_optional("norm", self.norm, get_args(Norm))
        _check_optional("quiet_softmax", self.quiet_softmax, get_args(QuietSoftmax))


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """The source of the trained model, and facts that its files lack."""

    checkpoint: str | os.PathLike[str] | None = None
    """A folder to take the model's files from. By default the model's name decides."""
    tokenizer: str | os.PathLike[str] | None = None
    """A folder, tokenizer.json or vocab.txt to take the tokenizer from. The default is the model's folder."""
    labels: Sequence[str] | None = None
    """Names of the classes, in their order. The default is the checkpoint's."""
    offline: bool = False
    """Whether to use only files on this machine."""
    burn: BurnOptions = field(default_factory=BurnOptions)

    def __post_init__(self) -> None:
        """Check every option."""
        _check_flag("offline", self.offline)
        if not isinstance(self.burn, BurnOptions):
            raise OptionError("burn", f"it must be made by BurnOptions, not {self.burn!r:.40}")
        if self.labels is not None:
            object.__setattr__(self, "labels", _strings("labels", self.labels))
            if not self.labels or len({label for label in self.labels if label.strip()}) != len(self.labels):
                raise OptionError("labels", f"{', '.join(self.labels) or 'none'}: give each class a name of its own")


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """Shape and arithmetic of the exported graph."""

    fixed_length: int | None = None
    """The one number of tokens that texts are padded to, special tokens included. By default any length is accepted."""
    fixed_batch: int | None = None
    """The one number of texts in a batch. By default any number is accepted."""
    fusion: bool = True
    """Whether each attention is fused into one node, where that is possible."""
    padding: PaddingChoice | None = None
    """Whether padding is invisible to the model (`packed`, the default) or read as in training (`padded`)."""
    inference_precision: InferencePrecision | None = None
    """The type for everything that is not int8. `bf16` allows bfloat16 and is gated like int8; the default is `f32`."""
    max_length: int | None = None
    """The most tokens of a text that are read, special tokens included. By default as many as the model can."""

    def __post_init__(self) -> None:
        """Check every option."""
        _check_whole("fixed_length", self.fixed_length, SHORTEST, LONGEST)
        _check_whole("max_length", self.max_length, SHORTEST, LONGEST)
        if None not in (self.fixed_length, self.max_length):
            raise OptionError("max_length", "`fixed_length` says already how many tokens are read; leave one of them out")
        _check_whole("fixed_batch", self.fixed_batch, 1, LARGEST_BATCH)
        if (self.fixed_batch or 1) * (self.fixed_length or 1) > LARGEST_FIXED_BATCH:
            raise OptionError("fixed_batch", f"times `fixed_length` it is more than {LARGEST_FIXED_BATCH} tokens")
        _check_flag("fusion", self.fusion)
        _check_optional("padding", self.padding, PADDING_CHOICES)
        _check_optional("inference_precision", self.inference_precision, INFERENCE_PRECISIONS)


@dataclass(frozen=True, slots=True)
class Int8Options:
    """The kind of int8, and the texts that it is fitted to."""

    quantization: Quantization | None = None
    """The origin of the scales of activations in ONNX Runtime: each token's own (`per-token`, the default), so that a text's
    result does not depend on the rest of its batch; calibration (`static`), which is faster; or the batch (`per-tensor`, for
    comparison)."""
    calibration: Sequence[str] = ()
    """Texts to fit int8 to, instead of the project's own; texts that the gate measures are left out."""
    max_fp32_share: float | None = None
    """Largest share of the weights that may stay fp32 where int8 misses a bound. The default is a quarter."""

    def __post_init__(self) -> None:
        """Check every option."""
        _check_optional("quantization", self.quantization, QUANTIZATIONS)
        object.__setattr__(self, "calibration", _strings("calibration", self.calibration))
        _check_bound("max_fp32_share", self.max_fp32_share, 1)

    @property
    def fp32_budget(self) -> float:
        """The share of the weights that may stay fp32."""
        return DEFAULT_FP32_SHARE if self.max_fp32_share is None else self.max_fp32_share


@dataclass(frozen=True, slots=True)
class GateOptions:
    """The bounds that the bundle must keep. None stands for the default bound of its precision."""

    texts: Sequence[str] = ()
    """Texts to measure in addition to the project's own."""
    min_agreement: float | None = None
    """Least share of texts that must get torch's label."""
    max_mean_drift: float | None = None
    """Largest mean drift, where a text's drift is the largest absolute change of a class probability."""
    max_logit_difference: float | None = None
    """Largest difference of a logit from torch's."""

    def __post_init__(self) -> None:
        """Check every option."""
        object.__setattr__(self, "texts", _strings("texts", self.texts))
        _check_bound("min_agreement", self.min_agreement, 1)
        _check_bound("max_mean_drift", self.max_mean_drift, 1)
        _check_bound("max_logit_difference", self.max_logit_difference, math.inf)


_GROUPS = {"source": SourceOptions, "graph": GraphOptions, "int8": Int8Options, "gate": GateOptions}


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """All options of one export."""

    precision: Precision = "fp32"
    engines: Sequence[EngineName] = (DEFAULT_ENGINE,)
    """The engines that the bundle holds a model for."""
    source: SourceOptions = field(default_factory=SourceOptions)
    graph: GraphOptions = field(default_factory=GraphOptions)
    int8: Int8Options = field(default_factory=Int8Options)
    gate: GateOptions = field(default_factory=GateOptions)

    def __post_init__(self) -> None:
        """Check every option, and that each applies to the precision."""
        for name, kind in _GROUPS.items():
            if not isinstance(getattr(self, name), kind):
                raise OptionError(name, f"it must be made by {kind.__name__}, not {getattr(self, name)!r:.40}")
        check_choice("precision", self.precision, PRECISIONS)
        names = tuple(dict.fromkeys(_strings("engines", self.engines)))
        if not names:
            raise OptionError("engines", f"name at least one of {', '.join(ENGINES)}")
        for name in names:
            check_choice("engines", name, ENGINES)
        object.__setattr__(self, "engines", names)
        of_int8 = [name for name in self.chosen() if name in OF_INT8]
        if self.precision == "fp32" and of_int8:
            raise OptionError(of_int8[0], "it does nothing in fp32; leave it out, or export in int8")

    def chosen(self) -> Iterator[str]:
        """Yield the names of the options that differ from their defaults."""
        for group in (self.source, self.source.burn, self.graph, self.int8, self.gate):
            defaults = type(group)()
            yield from (each.name for each in fields(group) if getattr(group, each.name) != getattr(defaults, each.name))


def check_taken(options: ExportOptions, takers: Mapping[str, Sequence[str]], present: Sequence[str]) -> None:
    """Check that each chosen option has an effect on at least one of the families, or engines, of this export.

    Args:
        options: all options of the export.
        takers: for each family (or engine), by name, the options that it takes and some other does not.
        present: the names of those that take part in this export.

    Raises:
        OptionError: an option would have no effect.
    """
    for option in options.chosen():
        able = [name for name, taken in takers.items() if option in taken]
        if able and not {*able} & {*present}:
            raise OptionError(option, f"it is for {', '.join(able)} and does nothing for {', '.join(present)}; leave it out")


def _strings(option: str, values: object) -> tuple[str, ...]:
    """Return several strings as a tuple; a single string is refused, as it would be read as its characters."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise OptionError(option, f"it must be several strings in a list or tuple, not {values!r:.40}")
    strings = tuple(values)
    for value in strings:
        if not isinstance(value, str):
            raise OptionError(option, f"it must hold strings only, not {value!r:.40}")
    return strings


def _check_optional(option: str, value: str | None, allowed: Sequence[str]) -> None:
    if value is not None:
        check_choice(option, value, allowed)


def _check_whole(option: str, value: object, least: int, most: int) -> None:
    if value is not None and (type(value) is not int or not least <= value <= most):
        raise OptionError(option, f"{value!r:.40} is not a whole number from {least} to {most}")


def _check_flag(option: str, value: object) -> None:
    if type(value) is not bool:
        raise OptionError(option, f"{value!r:.40} is neither True nor False")


def _check_bound(option: str, value: float | None, largest: float) -> None:
    # Written so that a NaN fails it.
    if value is not None and not (type(value) in {int, float} and 0 <= value <= largest):
        raise OptionError(option, f"{value!r:.40} is not a number from 0 to {largest:g}")
