"""Fitting a matrix to int8 so that its product changes least on calibration activations.

Two steps, both by the Gram matrix of those activations, the sum of x x^T over tokens x:

* smoothing, after SmoothQuant (https://arxiv.org/abs/2211.10438): a few channels of a normalized layer are much larger than
  the others and use up the range of int8. Their activations are divided, and their rows multiplied, by a factor;
* rounding, after GPTQ (https://arxiv.org/abs/2210.17323): rows are rounded one after the other, and the error of each is
  compensated by the rows that follow, as far as the correlation of their activations allows. It is computed in the form of
  LDLQ (https://arxiv.org/abs/2307.13304), which gives the same and needs one Cholesky decomposition instead of three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

INT8_MAX = 127
_DAMPING = 0.01
"""Share of the mean diagonal that is added to the diagonal, so that directions never seen in calibration keep their weight."""
_LARGEST_FACTOR = 100.0
_TINY = torch.finfo(torch.float32).tiny


class Fit(NamedTuple):
    """The smoothing and compensation of a matrix, fitted to its activations."""

    smoothing: NDArray[np.float32] | None
    """Divisors of the activations, [in]; None for no smoothing."""
    compensation: Tensor | None
    """Unit upper triangle: the share of each row's error that a later row takes over, float32 [in, in]; None if none does."""


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
    if fit.compensation is None:
        values, scales = quantize_symmetric(matrix, axis=0)
    else:
        scales = _scales(matrix, axis=0)
        values = _round_compensated(torch.from_numpy(matrix / scales), fit.compensation).numpy()
    return values, scales.reshape(-1)


def quantize_symmetric(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 values, within -127..127, and fp32 scales of size 1 along `axis`: weight ~ values * scales."""
    scales = _scales(weight, axis)
    return np.rint(weight / scales).astype(np.int8), scales


def _scales(weight: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    scales = (np.abs(weight).max(axis=axis, keepdims=True) / INT8_MAX).astype(np.float32)
    return np.where(scales >= np.finfo(np.float32).tiny, scales, np.float32(1))  # too small to divide by: all become 0


def _smoothing(gram: Tensor) -> Tensor:
    """Return a factor for each channel: the square root of its ratio to the median channel, at least 1."""
    magnitude = gram.diagonal().sqrt()
    alive = magnitude[magnitude > 0]
    usual = alive.median() if len(alive) else magnitude.new_ones(())
    return (magnitude / usual).clamp(1, _LARGEST_FACTOR**2).sqrt()


def _compensation(gram: Tensor) -> Tensor:
    """Return the unit upper triangle U of U D U^T, the damped Gram matrix."""
    flipped = gram.flip(0, 1).double()  # a Cholesky factor is lower; that of the flipped matrix, flipped, is upper
    flipped.diagonal().add_(_DAMPING * flipped.diagonal().mean().clamp_min(_TINY))
    lower = torch.linalg.cholesky(flipped, out=flipped)  # in place: a wide layer's matrix has 4096 x 4096 elements
    lower /= lower.diagonal().clone()
    upper: Tensor = lower.float().flip(0, 1)
    return upper


def _round_compensated(scaled: Tensor, shares: Tensor) -> Tensor:
    """Return the rounded values, int8 [in, out], of a scaled matrix [in, out], which becomes their errors."""
    values = torch.empty(scaled.shape, dtype=torch.int8)
    _round_rows(values, scaled, torch.zeros_like(scaled), shares)
    return values


def _round_rows(values: Tensor, scaled: Tensor, passed: Tensor, shares: Tensor) -> None:
    """Round rows into `values`; all but the shares, [rows, rows], are [rows, out], and `passed` are the errors taken over.

    The rows are halved again and again, so that nearly all of the errors is passed on by large products of matrices.
    """
    if len(scaled) == 1:
        rounded = scaled.add(passed).round_().clamp_(-INT8_MAX, INT8_MAX)
        values.copy_(rounded)
        scaled -= rounded
        return
    upper, lower = slice(len(scaled) // 2), slice(len(scaled) // 2, None)
    _round_rows(values[upper], scaled[upper], passed[upper], shares[upper, upper])
    passed[lower].addmm_(shares[upper, lower].T, scaled[upper])
    _round_rows(values[lower], scaled[lower], passed[lower], shares[lower, lower])
