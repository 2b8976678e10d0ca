"""`manifest.json`, which describes a bundle. The export writes it, the runtime reads it, the model card is made from it.

A field that changes answers raises `FORMAT_VERSION`, and a runtime refuses a version that it does not know. Fields that only
inform may be added within a version; unknown ones are passed over.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from sentiment_edge_runtimes.bundle.models import Interface, Recipe, SpecialTokens
from sentiment_edge_runtimes.bundle.strict_json import field, one_of, optional, typed
from sentiment_edge_runtimes.limits import LARGEST_BATCH, LARGEST_FIXED_BATCH, LONGEST, SHORTEST
from sentiment_edge_runtimes.vocabulary import (
    ACTIVATIONS,
    ENGINES,
    INFERENCE_PRECISIONS,
    PADDINGS,
    PRECISIONS,
    REDUCING_ENGINES,
    TRUNCATIONS,
    Activation,
    ComputedIn,
    EngineName,
    InferencePrecision,
    Padding,
    Precision,
    Truncation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT_VERSION = 2
"""The newest version. A manifest is written in the oldest one that can say it, so that earlier releases read what they can."""
_SINCE: Mapping[Padding, int] = {"unpadded": 2}
"""The format version that a kind of padding came with; 1 for those that are not here."""
CARD = "README.md"
"""The model card, which people edit: none of the files that are checked, and passed over where older bundles list it."""
_LARGEST_ID = 2**31
_PADDING_SIDE = "right"
"""For those who read a manifest without this package, which knows no other."""

_T = TypeVar("_T")


class UnknownFormat(ValueError):
    """A manifest of a format version that this release does not know."""

    def __init__(self, version: int) -> None:
        super().__init__(f"format_version {version} is not known")
        self.version = version


class Source(NamedTuple):
    """The checkpoint that a bundle was made from; None for what is not known."""

    id: str | None = None
    """A known name, a Hub id, or the name of a folder."""
    revision: str | None = None
    """The Hub's commit."""
    licence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The description of a bundle."""

    family: str
    precision: Precision
    labels: tuple[str, ...]
    """By class index."""
    activation: Activation
    """The function from logits to probabilities: of all classes together (`softmax`), or of each alone (`sigmoid`)."""
    max_length: int
    """The most tokens of a text that the model reads, special ones included."""
    lengths: tuple[int, ...]
    """The lengths that batches are padded to, ascending; the last is `max_length`, and the only one where nothing is padded."""
    batch: int | None
    """The only number of texts that the model takes at once; None if it takes any."""
    pad_id: int
    """The token that texts are padded with."""
    padding: Padding
    """Whether padding is invisible to the model (`packed`), part of what it reads (`padded`), or would change its answers, so
    that only texts with the same number of tokens run together (`unpadded`)."""
    truncation: Truncation
    """Whether a long text keeps the special tokens at its end (`tokenizer`), or is cut with them (`plain`)."""
    engines: Mapping[EngineName, str]
    """The model file of each engine."""
    inference_precision: InferencePrecision = "f32"
    """The precision of what is not int8, in engines that can reduce it; parity was measured with it."""
    quantization: Mapping[EngineName, Recipe] = dataclasses.field(default_factory=dict)
    """By engine; empty in fp32."""
    models: Mapping[EngineName, Interface] = dataclasses.field(default_factory=dict)
    """By engine, what a program in any language needs; empty in bundles of earlier releases."""
    special_tokens: SpecialTokens | None = None
    """None in bundles of earlier releases."""
    nodes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Number of nodes by type, of those that the export counted in the first engine's graph."""
    source: Source = dataclasses.field(default_factory=Source)
    built_with: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Versions of the libraries that made it."""
    tokenizer_reference: str | None = None
    """The implementation of the tokenizer that tokenizer.json was compared with; None if it was not."""
    parity: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Summary of the parity report, as JSON has it."""
    files: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Size in bytes of every file but the manifest, the checksums and the model card."""

    @classmethod
    def from_json(cls, contents: object) -> Manifest:
        """Return the manifest that JSON describes.

        Raises:
            UnknownFormat: its format version is newer than this release knows.
            ValueError: a field is missing, of a wrong type or out of range.
        """
        if not isinstance(contents, dict):
            raise ValueError("it is not a JSON object")  # noqa: TRY004 - one kind of error for all that is wrong in it
        version = contents.get("format_version")
        if type(version) is not int or version < 1:
            raise ValueError("it has no format_version")
        if version > FORMAT_VERSION:
            raise UnknownFormat(version)
        try:
            manifest = _read(contents, version)
        except KeyError as error:
            raise ValueError(f"it has no {error.args[0]}") from error
        except (TypeError, OverflowError) as error:
            raise ValueError(str(error)) from error
        _check_ranges(manifest)
        return manifest

    def to_json(self) -> dict[str, Any]:
        """Return the entries of the JSON object."""
        return {
            "format_version": _SINCE.get(self.padding, 1),
            "family": self.family,
            "precision": self.precision,
            "inference_precision": self.inference_precision,
            "quantization": {engine: recipe.to_json() for engine, recipe in self.quantization.items()} or None,
            "labels": list(self.labels),
            "activation": self.activation,
            "max_length": self.max_length,
            "lengths": list(self.lengths),
            "batch": self.batch,
            "pad_id": self.pad_id,
            "padding": self.padding,
            **({"padding_side": _PADDING_SIDE} if self.models else {}),
            "truncation": self.truncation,
            **({"special_tokens": self.special_tokens.to_json()} if self.special_tokens else {}),
            "engines": dict(self.engines),
            **({"models": {engine: model.to_json() for engine, model in self.models.items()}} if self.models else {}),
            "nodes": dict(self.nodes),
            "source": self.source._asdict(),
            "built_with": dict(self.built_with),
            **({"tokenizer_reference": self.tokenizer_reference} if self.tokenizer_reference else {}),
            "parity": dict(self.parity),
            "files": dict(self.files),
        }

    @property
    def grid(self) -> tuple[int, ...] | None:
        """The lengths that batches are padded to, ascending; None for a model that must not be padded."""
        return None if self.padding == "unpadded" else self.lengths

    @property
    def static_engines(self) -> frozenset[EngineName]:
        """Engines whose int8 products use scales fixed ahead of time."""
        return frozenset(engine for engine, recipe in self.quantization.items() if recipe.scheme == "static")

    def computed_in(self, engine: EngineName) -> ComputedIn:
        """Return the coarsest number format that an engine computes the model in."""
        reduces = engine in REDUCING_ENGINES and self.inference_precision == "bf16"
        return "bf16" if self.precision == "fp32" and reduces else self.precision

    def golden_key(self, engine: EngineName) -> str:
        """Return the key of an engine's logits in the rows of `golden.jsonl`: just `logits` for the first engine."""
        return "logits" if engine == next(iter(self.engines)) else f"logits_{engine}"


def _read(entries: dict[str, Any], version: int) -> Manifest:
    files = {
        typed(name, str, "a file's name"): typed(size, int, f"the size of {name}")
        for name, size in field(entries, "files", dict).items()
    }
    files.pop(CARD, None)
    batch = entries["batch"]
    recipes, models = (typed(entries.get(name) or {}, dict, name) for name in ("quantization", "models"))
    special = entries.get("special_tokens")
    one_of(entries.get("padding_side", _PADDING_SIDE), (_PADDING_SIDE,), "padding_side")
    return Manifest(
        family=field(entries, "family", str),
        precision=cast("Precision", one_of(entries["precision"], PRECISIONS, "precision")),
        labels=tuple(typed(label, str, "a label") for label in field(entries, "labels", list)),
        activation=cast("Activation", one_of(entries["activation"], ACTIVATIONS, "activation")),
        max_length=field(entries, "max_length", int),
        lengths=tuple(typed(length, int, "a length") for length in field(entries, "lengths", list)),
        batch=None if batch is None else typed(batch, int, "batch"),
        pad_id=field(entries, "pad_id", int),
        padding=cast("Padding", one_of(entries["padding"], _paddings(version), "padding")),
        truncation=cast("Truncation", one_of(entries["truncation"], TRUNCATIONS, "truncation")),
        models={name: Interface.from_json(model) for name, model in _by_engine(models).items()},
        special_tokens=None if special is None else SpecialTokens.from_json(special),
        engines=_by_engine({name: one_of(path, tuple(files), name) for name, path in field(entries, "engines", dict).items()}),
        inference_precision=cast(
            "InferencePrecision",
            one_of(entries.get("inference_precision", "f32"), INFERENCE_PRECISIONS, "inference_precision"),
        ),
        quantization={name: Recipe.from_json(recipe) for name, recipe in _by_engine(recipes).items()},
        nodes={name: typed(count, int, f"the count of {name}") for name, count in field(entries, "nodes", dict).items()},
        source=_read_source(typed(entries.get("source") or {}, dict, "source")),
        built_with={str(name): str(number) for name, number in typed(entries.get("built_with") or {}, dict, "it").items()},
        tokenizer_reference=optional(entries, "tokenizer_reference", str),
        parity=field(entries, "parity", dict),
        files=files,
    )


def _paddings(version: int) -> tuple[Padding, ...]:
    return tuple(padding for padding in PADDINGS if _SINCE.get(padding, 1) <= version)


def _read_source(entries: dict[str, Any]) -> Source:
    stated = (entries.get(name) for name in Source._fields)
    return Source(*(None if value is None else typed(value, str, "an entry of source") for value in stated))


def _check_ranges(manifest: Manifest) -> None:
    if not manifest.labels or not manifest.engines or len({*manifest.labels}) != len(manifest.labels):
        raise ValueError("there must be labels, all different, and engines")
    if not 0 <= manifest.pad_id < _LARGEST_ID or not SHORTEST <= manifest.max_length <= LONGEST:
        raise ValueError("pad_id or max_length is out of range")
    if manifest.lengths != tuple(sorted({*manifest.lengths, manifest.max_length})) or manifest.lengths[0] < 1:
        raise ValueError("lengths must ascend from 1 or more to max_length")
    if manifest.grid is None and len(manifest.lengths) > 1:
        raise ValueError("lengths must be max_length alone where padding is unpadded")
    if manifest.batch is not None and not 1 <= manifest.batch <= LARGEST_BATCH:
        raise ValueError("batch is out of range")
    if (manifest.batch or 1) * manifest.max_length > LARGEST_FIXED_BATCH:
        raise ValueError(f"batch times max_length is more than {LARGEST_FIXED_BATCH} tokens")


def _by_engine(entries: Mapping[str, _T]) -> dict[EngineName, _T]:
    """Return the entries of engines that this release knows; a later one may know more."""
    return {name: entries[name] for name in cast("tuple[EngineName, ...]", tuple(entries)) if name in ENGINES}
