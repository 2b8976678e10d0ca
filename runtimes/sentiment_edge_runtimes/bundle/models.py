"""The manifest's entries on each engine's model: its quantization, and all that a program in any language needs to run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sentiment_edge_runtimes.bundle.strict_json import field, one_of, typed
from sentiment_edge_runtimes.vocabulary import SCHEMES, Scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMER_SCHEMES = {"stored": "weight-only"}
"""Names of schemes in bundles made before the first release."""


class Fp32Weight(NamedTuple):
    """A weight of an int8 model that stayed fp32."""

    weight: str
    drift: float
    """Mean drift of the calibration texts when it alone is int8."""
    share: float
    """Its elements, as a share of those of all weights that could be int8."""


class Recipe(NamedTuple):
    """The quantization of one engine's model."""

    scheme: Scheme
    weights: str
    """A description of the weights' quantization."""
    activations: str
    """Data type of the activations while products are computed."""
    fp32: tuple[Fp32Weight, ...] = ()

    @classmethod
    def from_json(cls, contents: object) -> Recipe:
        """Return the recipe that JSON describes; raises as `Manifest.from_json` does."""
        entry = typed(contents, dict, "a recipe in quantization")
        kept = field(entry, "fp32", list)
        scheme = field(entry, "scheme", str)
        return cls(
            cast("Scheme", one_of(_FORMER_SCHEMES.get(scheme, scheme), SCHEMES, "scheme")),
            field(entry, "weights", str),
            field(entry, "activations", str),
            tuple(Fp32Weight(field(each, "weight", str), float(each["drift"]), float(each["share"])) for each in kept),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the entries of the JSON object."""
        kept = [weight._asdict() for weight in self.fp32]
        return {"scheme": self.scheme, "weights": self.weights, "activations": self.activations, "fp32": kept}


class Tensor(NamedTuple):
    """An input or output of a model."""

    name: str
    type: str
    """Of its elements, by the names of numpy and ONNX Runtime: `int64`, `float32`."""
    shape: tuple[str | int, ...]
    """A size for each axis, or a name where it varies."""

    @classmethod
    def from_json(cls, contents: object) -> Tensor:
        """Return the tensor that JSON describes; raises as `Manifest.from_json` does."""
        entry = typed(contents, dict, "an input or output")
        shape = field(entry, "shape", list)
        return cls(
            field(entry, "name", str),
            field(entry, "type", str),
            tuple(size if isinstance(size, str) else typed(size, int, "a size") for size in shape),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the entries of the JSON object."""
        return {"name": self.name, "type": self.type, "shape": list(self.shape)}


class Interface(NamedTuple):
    """All that a program must know of an engine's model to give the bundle's answers."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    settings: Mapping[str, str]
    """The engine's own settings that change answers, by its own names; parity was measured with them."""
    tolerance: Mapping[str, float]
    """Allowed between answers and the golden ones on another machine: `logit_difference`, or `mean_drift` and `max_drift`."""

    @classmethod
    def from_json(cls, contents: object) -> Interface:
        """Return the interface that JSON describes; raises as `Manifest.from_json` does."""
        entry = typed(contents, dict, "an entry of models")
        inputs, outputs = (tuple(map(Tensor.from_json, field(entry, name, list))) for name in ("inputs", "outputs"))
        settings = {name: typed(value, str, name) for name, value in field(entry, "settings", dict).items()}
        tolerance = {name: typed(value, float, name) for name, value in field(entry, "tolerance", dict).items()}
        return cls(inputs, outputs, settings, tolerance)

    def to_json(self) -> dict[str, Any]:
        """Return the entries of the JSON object."""
        inputs, outputs = ([tensor.to_json() for tensor in tensors] for tensors in (self.inputs, self.outputs))
        return {"inputs": inputs, "outputs": outputs, "settings": dict(self.settings), "tolerance": dict(self.tolerance)}


class SpecialTokens(NamedTuple):
    """The ids that the tokenizer puts around those of a text."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    @classmethod
    def from_json(cls, contents: object) -> SpecialTokens:
        """Return the tokens that JSON describes; raises as `Manifest.from_json` does."""
        entry = typed(contents, dict, "special_tokens")
        return cls(*(tuple(typed(each, int, "an id") for each in field(entry, name, list)) for name in cls._fields))

    def to_json(self) -> dict[str, Any]:
        """Return the entries of the JSON object."""
        return {name: list(ids) for name, ids in self._asdict().items()}
