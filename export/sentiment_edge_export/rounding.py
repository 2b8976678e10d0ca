"""Fitting a matrix to int8 such that its product changes least on typical activations.

Two steps, both by the gram matrix of those activations, the sum of x x^T over tokens x:

* smoothing, after SmoothQuant (https://arxiv.org/abs/2211.10438): a few channels of a normalized layer are much larger than
  the others and take the range of int8 for themselves. Their activations are divided, and their rows multiplied, by a factor;
* rounding, after GPTQ (https://arxiv.org/abs/2210.17323): rows are rounded one after the other, and what each loses is made
  up for by the rows to come, as far as typical activations let them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = 128
_DAMPING = 0.01
"""Of the mean diagonal, added to it: keeps directions that calibration never saw from being sacrificed."""


def smoothing(gram: Tensor) -> Tensor:
    """Return a factor for each channel, float32 [in]: the root of how far it is above the median channel, at least 1."""
    magnitude = gram.diagonal().sqrt()
    return (magnitude / magnitude.median().clamp_min(torch.finfo(torch.float32).tiny)).clamp_min(1).sqrt()


def compensation(gram: Tensor) -> Tensor:
    """Return the upper triangle that tells how rows make up for each other, float32 [in, in], of a gram matrix [in, in]."""
    damped = gram.double()
    damped.diagonal().add_(_DAMPING * damped.diagonal().mean().clamp_min(torch.finfo(torch.float32).tiny))
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(damped))
    upper: Tensor = torch.linalg.cholesky(inverse, upper=True)
    return upper.float()


def round_compensated(weight: Tensor, scales: Tensor, upper: Tensor, largest: int) -> Tensor:
    """Return the rounded values, int8 [in, out].

    Args:
        weight: float32 [in, out].
        scales: float32 [out], the step of each column.
        upper: `compensation` of what the weight is multiplied with.
        largest: the largest magnitude of a value.
    """
    remaining = weight / scales
    values = torch.empty(weight.shape, dtype=torch.int8)
    for start in range(0, len(weight), _BLOCK):
        end = min(start + _BLOCK, len(weight))
        errors = torch.empty(end - start, weight.shape[1])
        for row in range(start, end):
            rounded = remaining[row].round().clamp(-largest, largest)
            values[row] = rounded.to(torch.int8)
            errors[row - start] = (remaining[row] - rounded) / upper[row, row]
            remaining[row:end].addr_(upper[row, row:end], errors[row - start], alpha=-1)
        remaining[end:].addmm_(upper[start:end, end:].T, errors, alpha=-1)
    return values
