"""What a Burn transformer is made of: sizes from its tensors, the rest from options, Burn's config.json, or the card."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families.burn_transformer.activations import ACTIVATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sentiment_edge_export.options import BurnOptions, QuietSoftmax

_CARD = {"n_heads": 8, "norm_first": True, "quiet_softmax": True}
"""What the published model's card says, for what no file does."""
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:-pre\.(\d+))?")


@dataclass(frozen=True)
class BurnTransformerConfig:
    """Sizes and flags; names as in Burn's config where it has them."""

    vocab_size: int
    positions: int
    d_model: int
    d_ff: int
    n_layers: int
    n_classes: int
    max_length: int
    """Tokens that are read of a text."""
    n_heads: int
    norm_first: bool
    quiet_softmax: QuietSoftmax
    activation: str = "Gelu"
    """A name of Burn's ActivationConfig."""
    layer_norm_eps: float = 1e-5
    early_norm: bool = False
    """Whether norms divide by deviation + eps, as before Burn 0.14, instead of sqrt(variance + eps)."""


@dataclass(frozen=True)
class Stated:
    """What lies beside the tensors."""

    folder: Path
    config: Mapping[str, Any]
    """The contents of config.json."""
    version: str | None
    """Burn's, as far as the record tells."""
    options: BurnOptions

    @property
    def encoder(self) -> Mapping[str, Any]:
        """The config of the encoder; empty where there is none."""
        encoder = self.config.get("transformer", {})
        if not isinstance(encoder, dict):
            raise self.wrong("transformer", encoder)
        return encoder

    def flag(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return an entry of the encoder's config; where it is not stated, the card's."""
        value = self.encoder.get(name, _CARD[name])
        if type(value) is not type(_CARD[name]):
            raise self.wrong(name, value)
        return value

    def wrong(self, name: str, value: object) -> CheckpointError:
        """Return the error for an entry that makes no sense."""
        return CheckpointError(f"{self.folder}: config.json says {name} {value!r:.60}")


def read_config(stated: Stated, shapes: Mapping[str, tuple[int, ...]]) -> BurnTransformerConfig:
    """Put together what the files and the options say.

    Args:
        stated: what lies beside the tensors.
        shapes: of the tensors, as torch lays them out.

    Raises:
        CheckpointError: a tensor that tells a size is missing, or what is stated contradicts the tensors or itself.
    """
    sizes = _sizes(stated.folder, shapes)
    encoder = stated.encoder
    heads = stated.options.heads or stated.flag("n_heads")
    norm_first = stated.flag("norm_first") if stated.options.norm is None else stated.options.norm == "first"
    for name in ("d_model", "d_ff", "n_layers"):
        if encoder.get(name, sizes[name]) != sizes[name]:
            raise CheckpointError(
                f"{stated.folder}: config.json says {name} {encoder[name]!r:.60}, "
                f"the weights {sizes[name]}; they are not of one model"
            )
    if heads < 1 or sizes["d_model"] % heads:
        raise CheckpointError(f"{stated.folder}: {heads} heads do not divide a width of {sizes['d_model']}; set `heads`")
    if (activation := encoder.get("activation", "Gelu")) not in [*ACTIVATIONS]:
        raise CheckpointError(f"{stated.folder}: unknown activation {activation!r:.60}; known are {', '.join(ACTIVATIONS)}")
    eps = encoder.get("layer_norm_eps", 1e-5)
    if not isinstance(eps, float | int) or not 0 <= eps < 1:
        raise stated.wrong("layer_norm_eps", eps)
    return BurnTransformerConfig(
        **sizes,
        max_length=_max_length(stated, sizes["positions"]),
        n_heads=heads,
        norm_first=norm_first,
        quiet_softmax=stated.options.quiet_softmax or _quiet_softmax(stated),
        activation=activation,
        layer_norm_eps=float(eps),
        early_norm=_is_before(stated.version, (0, 14)),
    )


def _sizes(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Read the sizes off the tensors."""
    if empty := [name for name, shape in shapes.items() if 0 in shape]:
        raise CheckpointError(f"{folder}: the weights do not fit the architecture ({empty[0]} is empty)")
    try:
        vocab_size, d_model = shapes["embedding_token.weight"]
        positions, _ = shapes["embedding_pos.weight"]
        d_ff, _ = shapes["transformer.layers.0.pwff.linear_inner.weight"]
        n_classes, _ = shapes["output.weight"]
    except ValueError as error:
        raise CheckpointError(f"{folder}: the weights do not fit the architecture ({error})") from error
    layers = {name.split(".")[2] for name in shapes if name.startswith("transformer.layers.")}
    return {
        "vocab_size": vocab_size,
        "positions": positions,
        "d_model": d_model,
        "d_ff": d_ff,
        "n_layers": len(layers),
        "n_classes": n_classes,
    }


def _max_length(stated: Stated, positions: int) -> int:
    """Return how many tokens are read: a number before Burn 0.19, since then NoMax, or a number under Max or Fixed."""
    length = stated.config.get("max_seq_length", stated.config.get("seq_length", positions))
    if isinstance(length, dict) and length.keys() <= {"Max", "Fixed"}:
        length = next(iter(length.values()), None)
    elif length == "NoMax":
        length = positions
    if type(length) is not int or length < 1:
        raise stated.wrong("the length of texts", length)
    return min(length, positions)


def _quiet_softmax(stated: Stated) -> QuietSoftmax:
    """Return the form that the record's version of Burn computes; it changed in 0.20.0-pre.5."""
    if not stated.flag("quiet_softmax"):
        return "off"
    return "legacy" if _is_before(stated.version, (0, 20, 0, 5), unknown=True) else "softmax1"


def _is_before(version: str | None, limit: tuple[int, ...], *, unknown: bool = False) -> bool:
    """Whether a version comes before another; a release comes after its previews."""
    match = _VERSION.match(version or "")
    if match is None:
        return unknown
    major, minor, patch, preview = match.groups()
    return (int(major), int(minor), int(patch or 0), int(preview) if preview else 1000) < limit
