"""Steps of activations fixed ahead of time: for engines that are fastest so, at the price of calibration.

A step is chosen such that rounding and cutting off together cost least on typical values: their squared error over a
histogram, over ranges from a twentieth of what was seen to all of it.
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
    from sentiment_edge_export.quantization.weights import Matrix

_BINS = 2048
_SHARES = np.geomspace(0.05, 1, 24)
_LEVELS = 255
_SMALLEST_RANGE = float(np.finfo(np.float32).tiny) * _LEVELS
_RANK = 3


class Step(NamedTuple):
    """How a value becomes uint8: value / scale + zero."""

    scale: np.float32
    zero: np.uint8


def static_steps(model: ir.Model, matrices: Mapping[str, Matrix], batches: Batches) -> dict[str, Step]:
    """Return the step of each value [batch, rows, width] that products multiply with a constant matrix, by name.

    Args:
        model: the fp32 graph.
        matrices: what is known of the matrices: values are divided by their smoothing first.
        batches: ids and mask, [batch, length]; the tokens of each one's first text count.
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
    return {name: _best_step(counts[name], *ranges[name]) for name in names if ranges[name][0] < ranges[name][1]}


def _smoothing(model: ir.Model, matrices: Mapping[str, Matrix]) -> dict[str, NDArray[np.float32] | None]:
    """Return what each value is divided by: all matrices that it is multiplied with share that."""
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


def _best_step(counts: NDArray[np.float64], least: float, greatest: float) -> Step:
    edges = np.linspace(least, greatest, len(counts) + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    steps = [_step(least * below, greatest * above) for below in _SHARES.tolist() for above in _SHARES.tolist()]
    return min(steps, key=lambda step: _error(counts, middles, step))


def _step(least: float, greatest: float) -> Step:
    scale = np.float32(max(greatest - least, _SMALLEST_RANGE) / _LEVELS)
    return Step(scale, np.uint8(np.clip(np.rint(-least / scale), 0, _LEVELS)))


def _error(counts: NDArray[np.float64], middles: NDArray[np.float64], step: Step) -> float:
    zero = float(step.zero)
    rounded = (np.clip(np.rint(middles / step.scale + zero), 0, _LEVELS) - zero) * step.scale
    return float(counts @ np.square(rounded - middles))
