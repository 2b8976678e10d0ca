"""Fitting a matrix to int8 so that its product changes least on calibration activations.

Two steps, both by the Gram matrix of those activations, the sum of x x^T over tokens x:

* smoothing, after SmoothQuant (https://arxiv.org/abs/2211.10438): a few channels of a normalized layer are much larger than
  the others and use up the range of int8. Their activations are divided, and their rows multiplied, by a factor;
* rounding, after GPTQ (https://arxiv.org/abs/2210.17323): rows are rounded one after the other, and the error of each is
  compensated by the rows that follow, as far as the correlation of their activations allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

INT8_MAX = 127
_BLOCK = 128
_DAMPING = 0.01
"""Share of the mean diagonal that is added to the diagonal, so that directions never seen in calibration keep their weight."""
_LARGEST_FACTOR = 100.0
_TINY = torch.finfo(torch.float32).tiny


class Fit(NamedTuple):
    """The smoothing and compensation of a matrix, fitted to its activations."""

    smoothing: NDArray[np.float32] | None
    """Divisors of the activations, [in]; None for no smoothing."""
    compensation: Tensor | None
    """Upper triangle by which rows compensate each other, float32 [in, in]; None if each is rounded separately."""


UNFITTED = Fit(None, None)


def fit_to(gram: Tensor, *, smooth: bool) -> Fit:
    """Return the fit of matrices to activations with this Gram matrix, float32 [in, in]."""
    if not smooth:
        return Fit(None, _compensation(gram))
    factors = _smoothing(gram)
    return Fit(factors.numpy(), _compensation(gram / factors / factors[:, None]))


def quantize_fitted(matrix: NDArray[np.float32], fit: Fit) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 values [in, out] and fp32 scales [out]: matrix ~ values * scales / smoothing."""
    if fit.smoothing is not None:
        matrix = matrix * fit.smoothing[:, None]
    values, scales = quantize_symmetric(matrix, axis=0)
    if fit.compensation is not None:
        values = _round_compensated(torch.tensor(matrix), torch.from_numpy(scales), fit.compensation).numpy()
    return values, scales.reshape(-1)


def quantize_symmetric(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 values, within -127..127, and fp32 scales of size 1 along `axis`: weight ~ values * scales."""
    scales = (np.abs(weight).max(axis=axis, keepdims=True) / INT8_MAX).astype(np.float32)
    scales = np.where(scales >= np.finfo(np.float32).tiny, scales, np.float32(1))  # too small to divide by: all become 0
    return np.rint(weight / scales).astype(np.int8), scales


def _smoothing(gram: Tensor) -> Tensor:
    """Return a factor for each channel: the square root of its ratio to the median channel, at least 1."""
    magnitude = gram.diagonal().sqrt()
    alive = magnitude[magnitude > 0]
    usual = alive.median() if len(alive) else magnitude.new_ones(())
    return (magnitude / usual).clamp(1, _LARGEST_FACTOR**2).sqrt()


def _compensation(gram: Tensor) -> Tensor:
    """Return the upper triangle by which rows compensate each other: the Cholesky factor of the inverse of the Gram matrix."""
    damped = gram.double()
    damped.diagonal().add_(_DAMPING * damped.diagonal().mean().clamp_min(_TINY))
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(damped))
    upper: Tensor = torch.linalg.cholesky(inverse, upper=True)
    return upper.float()


def _round_compensated(matrix: Tensor, scales: Tensor, upper: Tensor) -> Tensor:
    """Return the rounded values, int8 [in, out], of a matrix [in, out] with scales [1, out]."""
    remaining = matrix / scales
    values = torch.empty(matrix.shape, dtype=torch.int8)
    for start in range(0, len(matrix), _BLOCK):
        end = min(start + _BLOCK, len(matrix))
        errors = torch.empty(end - start, matrix.shape[1])
        for row in range(start, end):
            rounded = remaining[row].round().clamp(-INT8_MAX, INT8_MAX)
            values[row] = rounded.to(torch.int8)
            errors[row - start] = (remaining[row] - rounded) / upper[row, row]
            remaining[row:end].addr_(upper[row, row:end], errors[row - start], alpha=-1)
        remaining[end:].addmm_(upper[start:end, end:].T, errors, alpha=-1)
    return values
