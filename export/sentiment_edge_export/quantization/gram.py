"""Gram matrices of activations, which take most of the memory and half of the time of a calibration."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = 512


class Gram:
    """The sum of x x^T over vectors x, float32 [width, width]; only the upper triangle is computed and held, in blocks."""

    def __init__(self, width: int) -> None:
        starts = range(0, width, _BLOCK)
        self._width = width
        self._rows = {rows: torch.zeros(rows[1] - rows[0], width - rows[0]) for rows in pairwise((*starts, width))}
        """From the block on the diagonal to the right end, by the first row and the row after the last."""

    def add(self, vectors: Tensor) -> None:
        """Add vectors, float32 [any number, width]."""
        for (start, end), block in self._rows.items():
            block.addmm_(vectors[:, start:end].T, vectors[:, start:])

    def is_finite(self) -> bool:
        """Return whether no sum overflowed."""
        return all(bool(block.isfinite().all()) for block in self._rows.values())

    def whole(self) -> Tensor:
        """Return the matrix with both triangles."""
        matrix = torch.empty(self._width, self._width)
        for (start, end), block in self._rows.items():
            matrix[start:end, start:] = block
            matrix[end:, start:end] = block[:, end - start :].T
        return matrix
