"""Scales and zero points of activations fixed ahead of time: fastest on some engines, but they need calibration.

They are chosen to minimize the squared error of rounding and clipping over a histogram of calibration values. The candidates
are ranges whose ends are from a twentieth of those seen to all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_export.quantization.calibration import inner_values
from sentiment_edge_export.quantization.weights import is_product
from sentiment_edge_runtimes.progress import SILENT, Progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx_ir as ir
    from numpy.typing import NDArray

    from sentiment_edge_export.quantization.calibration import ActivationStats, Batches
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


def static_params(
    model: ir.Model,
    matrices: Mapping[str, QuantizedMatrix],
    stats: Mapping[str, ActivationStats],
    batches: Batches,
    progress: Progress = SILENT,
) -> dict[str, QuantParams]:
    """Return the parameters of each value [batch, rows, width] that is multiplied with a constant matrix, by name.

    Args:
        model: the fp32 graph.
        matrices: the rounded matrices by name; activations are divided by their smoothing first.
        stats: statistics of activations, by name, over the same texts.
        batches: ids and mask, [batch, length]; only the first text of each is used.
        progress: hears what share of the texts is done.
    """
    smoothing = _smoothing(model, matrices)
    if not smoothing:
        return {}
    ranges = {name: _range(stats[name], smoothing[name]) for name in smoothing if name in stats}
    ranges = {name: known for name, known in ranges.items() if name not in _of_first_tokens(model)}
    counts = {name: np.zeros(_BINS) for name in ranges}
    held: dict[str, list[NDArray[np.float32]]] = {name: [] for name in smoothing if name not in ranges}
    """The values of which no range is known yet: only those of first tokens, which are few."""
    for name, tokens in inner_values(model, [*smoothing], batches, progress):
        factors = smoothing[name]
        smoothed = tokens if factors is None else tokens / factors
        if name in held:
            held[name].append(smoothed)
        else:
            counts[name] += np.histogram(smoothed, _BINS, ranges[name])[0]
    for name, arrays in held.items():
        values = np.concatenate(arrays)
        ranges[name] = min(0.0, float(values.min())), max(0.0, float(values.max()))
        counts[name] = np.histogram(values, _BINS, ranges[name])[0].astype(np.float64)
    return {name: _best_params(counts[name], *ranges[name]) for name in smoothing if ranges[name][0] < ranges[name][1]}


def _range(stats: ActivationStats, factors: NDArray[np.float32] | None) -> tuple[float, float]:
    """Return the least and the greatest smoothed value, or zero if that is beyond them."""
    least, greatest = (extremes if factors is None else extremes / factors for extremes in (stats.least, stats.greatest))
    return min(0.0, float(least.min())), max(0.0, float(greatest.max()))


def _of_first_tokens(model: ir.Model) -> set[str]:
    """Return the names of values [batch, 1, width], which the statistics of whole texts do not describe."""
    values = (value for node in model.graph for value in node.outputs)
    return {
        str(value.name) for value in values if value.shape is not None and len(value.shape) == _RANK and value.shape[1] == 1
    }


def _smoothing(model: ir.Model, matrices: Mapping[str, QuantizedMatrix]) -> dict[str, NDArray[np.float32] | None]:
    """Return the divisors of each value, which all matrices that it is multiplied with share."""
    found: dict[str, NDArray[np.float32] | None] = {}
    for node in filter(is_product, model.graph):
        value, weight = node.inputs[:2]
        if value is not None and weight is not None and value.shape is not None and len(value.shape) == _RANK:
            found[str(value.name)] = matrices[str(weight.name)].smoothing
    return found


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
