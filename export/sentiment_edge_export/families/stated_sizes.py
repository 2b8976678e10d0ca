"""Sizes that a config states, against the weights: transformers makes whatever the config asks for before it compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from sentiment_edge_export.errors import CheckpointError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

_MOST_LABELS = 2**16
_FEW_LAYERS = 100
"""So many may share few tensors, and are made quickly."""
_SPARE = 2**24
"""Numbers beyond twice those of the weights that a model may ask for; smaller differences are named one by one."""


def check_counts(folder: Path, stated: Mapping[str, Any], tensors: int) -> None:
    """Check that a config asks for no more layers than there are tensors, and not for millions of labels.

    Raises:
        CheckpointError: it does.
    """
    for name, value in stated.items():
        labels = name in ("num_labels", "_num_labels")
        count = _total(value) if labels or "layer" in name or "block" in name else 0
        if count > (_MOST_LABELS if labels else max(tensors, _FEW_LAYERS)):
            raise CheckpointError(f"{folder}: config.json says {shown(name)} {value!r:.60}, more than the weights can have")


def _total(value: object) -> int:
    return sum(map(_total, value)) if isinstance(value, list) else value if type(value) is int else 0


def check_numbers(folder: Path, make: Callable[[], nn.Module], weights: Mapping[str, Tensor]) -> None:
    """Check that a model which is made with a config is not far larger than the weights.

    Raises:
        CheckpointError: it is.
    """
    with torch.device("meta"):  # allocates no tensors
        asked = sum(parameter.numel() for parameter in make().parameters())
    held = sum(tensor.numel() for tensor in weights.values())
    if asked > 2 * held + _SPARE:
        problem = f"config.json describes a model of {asked:,} numbers, the weights hold {held:,}"
        raise CheckpointError(f"{folder}: {problem}; they are not of one model")
