"""The config of a Burn transformer: sizes from its tensors, the rest from options, Burn's config.json or the model card."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentiment_edge_export.checkpoints.weights import check_sizes
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families.burn_transformer.activations import ACTIVATIONS
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sentiment_edge_export.options import BurnOptions
    from sentiment_edge_export.vocabulary import QuietSoftmax

_CARD = {"n_heads": 8, "norm_first": True, "quiet_softmax": True}
"""Facts from the published model's card, for those that no file states."""
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:-pre\.(\d+))?")


@dataclass(frozen=True)
class BurnTransformerConfig:
    """Sizes and flags of a model, named as in Burn's config where it has them."""

    vocab_size: int
    positions: int
    d_model: int
    d_ff: int
    n_layers: int
    n_classes: int
    max_length: int
    """The number of tokens that a text is truncated to."""
    n_heads: int
    norm_first: bool
    quiet_softmax: QuietSoftmax
    activation: str = "Gelu"
    """A name of Burn's ActivationConfig."""
    layer_norm_eps: float = 1e-5
    early_norm: bool = False
    """Whether norms divide by deviation + eps, as before Burn 0.14, instead of sqrt(variance + eps)."""


@dataclass(frozen=True)
class ConfigSources:
    """The sources of a config besides the tensors."""

    folder: Path
    config: Mapping[str, Any]
    """The contents of config.json."""
    version: str | None
    """The version of Burn that wrote the record, if known."""
    options: BurnOptions

    @property
    def encoder(self) -> Mapping[str, Any]:
        """The encoder's entry in config.json; empty if there is none."""
        encoder = self.config.get("transformer", {})
        if not isinstance(encoder, dict):
            raise self.wrong("transformer", encoder)
        return encoder

    def flag(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return an entry of the encoder's config, or the card's value where there is none."""
        value = self.encoder.get(name, _CARD[name])
        if type(value) is not type(_CARD[name]):
            raise self.wrong(name, value)
        return value

    def wrong(self, name: str, value: object) -> CheckpointError:
        """Return the error for an unusable entry."""
        return CheckpointError(f"{self.folder}: config.json says {name} {value!r:.60}, which cannot be used; correct it")


def read_config(sources: ConfigSources, shapes: Mapping[str, tuple[int, ...]]) -> BurnTransformerConfig:
    """Combine the facts of all sources to a config.

    Args:
        sources: files and options.
        shapes: the shapes of the tensors in torch's layout, by name.

    Raises:
        CheckpointError: the shapes do not fit the architecture, or the sources contradict the tensors or each other.
    """
    sizes = _sizes(sources.folder, shapes)
    encoder = sources.encoder
    heads = sources.options.heads or sources.flag("n_heads")
    norm_first = sources.flag("norm_first") if sources.options.norm is None else sources.options.norm == "first"
    check_sizes(sources.folder, encoder, {name: sizes[name] for name in ("d_model", "d_ff", "n_layers")})
    if heads < 1 or sizes["d_model"] % heads:
        raise CheckpointError(f"{sources.folder}: {heads} heads do not divide a width of {sizes['d_model']}; set `heads`")
    if (activation := encoder.get("activation", "Gelu")) not in [*ACTIVATIONS]:
        raise CheckpointError(f"{sources.folder}: unknown activation {activation!r:.60}; known are {', '.join(ACTIVATIONS)}")
    eps = encoder.get("layer_norm_eps", 1e-5)
    if not isinstance(eps, float | int) or not 0 <= eps < 1:
        raise sources.wrong("layer_norm_eps", eps)
    return BurnTransformerConfig(
        **sizes,
        max_length=_max_length(sources, sizes["positions"]),
        n_heads=heads,
        norm_first=norm_first,
        quiet_softmax=sources.options.quiet_softmax or _quiet_softmax(sources),
        activation=activation,
        layer_norm_eps=float(eps),
        early_norm=_is_before(sources.version, (0, 14)),
    )


def _sizes(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Return the sizes that the shapes of the tensors tell."""
    if empty := [name for name, shape in shapes.items() if 0 in shape]:
        raise CheckpointError(f"{folder}: the weights do not fit the architecture ({empty[0]} is empty)")
    try:
        vocab_size, d_model = shapes["embedding_token.weight"]
        positions, _ = shapes["embedding_pos.weight"]
        d_ff, _ = shapes["transformer.layers.0.pwff.linear_inner.weight"]
        n_classes, _ = shapes["output.weight"]
    except ValueError as error:
        raise CheckpointError(f"{folder}: the weights do not fit the architecture ({first_line(error)})") from error
    layers = {name.split(".")[2] for name in shapes if name.startswith("transformer.layers.")}
    return {
        "vocab_size": vocab_size,
        "positions": positions,
        "d_model": d_model,
        "d_ff": d_ff,
        "n_layers": len(layers),
        "n_classes": n_classes,
    }


def _max_length(sources: ConfigSources, positions: int) -> int:
    """Return the maximum length: in config.json a number before Burn 0.19, since then NoMax, or a number under Max or Fixed."""
    length = sources.config.get("max_seq_length", sources.config.get("seq_length", positions))
    if isinstance(length, dict) and length.keys() <= {"Max", "Fixed"}:
        length = next(iter(length.values()), None)
    elif length == "NoMax":
        length = positions
    if type(length) is not int or length < 1:
        raise sources.wrong("the length of texts", length)
    return min(length, positions)


def _quiet_softmax(sources: ConfigSources) -> QuietSoftmax:
    """Return the softmax that the record's version of Burn computes; it changed in 0.20.0-pre.5."""
    if not sources.flag("quiet_softmax"):
        return "off"
    return "legacy" if _is_before(sources.version, (0, 20, 0, 5), unknown=True) else "softmax1"


def _is_before(version: str | None, limit: tuple[int, ...], *, unknown: bool = False) -> bool:
    """Return whether a version precedes another; a release follows its previews."""
    match = _VERSION.match(version or "")
    if match is None:
        return unknown
    major, minor, patch, preview = match.groups()
    return (int(major), int(minor), int(patch or 0), int(preview) if preview else 1000) < limit
