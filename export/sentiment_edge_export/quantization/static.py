"""Scales and zero points of activations fixed ahead of time: fastest on some engines, but they need calibration.

They are chosen to minimize the squared error of rounding and clipping over a histogram of calibration values. The candidates
are ranges whose ends are from a twentieth of those seen to all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_export.quantization.calibration import inner_values
from sentiment_edge_export.quantization.weights import is_product

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import onnx_ir as ir
    from numpy.typing import NDArray

    from sentiment_edge_export.quantization.calibration import Batches
    from sentiment_edge_export.quantization.weights import QuantizedMatrix

_BINS = 2048
_SHARES = np.geomspace(0.05, 1, 24)
_LEVELS = 255
_SMALLEST_RANGE = float(np.finfo(np.float32).tiny) * _LEVELS
_RANK = 3


class QuantParams(NamedTuple):
    """The parameters that quantize a value to uint8: value / scale + zero."""

    scale: np.float32
    zero: np.uint8


def static_params(model: ir.Model, matrices: Mapping[str, QuantizedMatrix], batches: Batches) -> dict[str, QuantParams]:
    """Return the parameters of each value [batch, rows, width] that is multiplied with a constant matrix, by name.

    Args:
        model: the fp32 graph.
        matrices: the rounded matrices by name; activations are divided by their smoothing first.
        batches: ids and mask, [batch, length]; only the first text of each is used.
    """
    smoothing = _smoothing(model, matrices)
    if not smoothing:
        return {}
    names = [*smoothing]
    ranges: dict[str, tuple[float, float]] = dict.fromkeys(names, (0.0, 0.0))
    for name, tokens in _smoothed(model, smoothing, batches):
        least, greatest = ranges[name]
        ranges[name] = min(least, float(tokens.min())), max(greatest, float(tokens.max()))
    counts = {name: np.zeros(_BINS) for name in names}
    for name, tokens in _smoothed(model, smoothing, batches):
        counts[name] += np.histogram(tokens, _BINS, ranges[name])[0]
    return {name: _best_params(counts[name], *ranges[name]) for name in names if ranges[name][0] < ranges[name][1]}


def _smoothing(model: ir.Model, matrices: Mapping[str, QuantizedMatrix]) -> dict[str, NDArray[np.float32] | None]:
    """Return the divisors of each value, which all matrices that it is multiplied with share."""
    found: dict[str, NDArray[np.float32] | None] = {}
    for node in filter(is_product, model.graph):
        value, weight = node.inputs[:2]
        if value is not None and weight is not None and value.shape is not None and len(value.shape) == _RANK:
            found[str(value.name)] = matrices[str(weight.name)].smoothing
    return found


def _smoothed(
    model: ir.Model,
    smoothing: Mapping[str, NDArray[np.float32] | None],
    batches: Batches,
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for name, tokens in inner_values(model, [*smoothing], batches):
        factors = smoothing[name]
        yield name, tokens if factors is None else tokens / factors


def _best_params(counts: NDArray[np.float64], least: float, greatest: float) -> QuantParams:
    edges = np.linspace(least, greatest, len(counts) + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    candidates = [_params(least * below, greatest * above) for below in _SHARES.tolist() for above in _SHARES.tolist()]
    return min(candidates, key=lambda params: _error(counts, middles, params))


def _params(least: float, greatest: float) -> QuantParams:
    scale = np.float32(max(greatest - least, _SMALLEST_RANGE) / _LEVELS)
    return QuantParams(scale, np.uint8(np.clip(np.rint(-least / scale), 0, _LEVELS)))


def _error(counts: NDArray[np.float64], middles: NDArray[np.float64], params: QuantParams) -> float:
    zero = float(params.zero)
    rounded = (np.clip(np.rint(middles / params.scale + zero), 0, _LEVELS) - zero) * params.scale
    return float(counts @ np.square(rounded - middles))
