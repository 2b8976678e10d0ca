"""The weights of a graph that become int8, and their rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from sentiment_edge_export.graph.editor import constant_of
from sentiment_edge_export.quantization.fitting import UNFITTED, Fit, fit_to, quantize_fitted
from sentiment_edge_export.quantization.workers import each_on_one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import onnx_ir as ir
    from numpy.typing import NDArray

    from sentiment_edge_export.quantization.calibration import ActivationStats

_SMALLEST_WEIGHT = 1024
"""Tensors of fewer elements stay fp32: int8 would hardly shrink the file."""
_FEW_ROWS = 1024
"""Embeddings with at most this many rows stay fp32."""
_MATRIX = 2


class QuantizedMatrix(NamedTuple):
    """A matrix rounded for products in int8."""

    values: NDArray[np.int8]
    """[in, out]"""
    scales: NDArray[np.float32]
    """[out]"""
    smoothing: NDArray[np.float32] | None
    """Divisors of its activations, [in]; None for no smoothing"""


def quantized_weights(node: ir.Node) -> tuple[ir.Value, ...]:
    """Return the weights of a node that become int8; most nodes have none."""
    if node.domain:
        return ()
    positions = {"Gather": (0,), "MatMul": (1,), "Gemm": (1, 2), "GRU": (1, 2)}.get(node.op_type, ())
    present = [node.inputs[position] for position in positions if position < len(node.inputs)]
    weights = tuple(value for value in present if value is not None and _is_weight(value))
    if weights and node.op_type == "Gather" and len(array_of(weights[0])) <= _FEW_ROWS:
        return ()
    return weights if node.op_type != "MatMul" or is_product(node) else ()


def is_product(node: ir.Node) -> bool:
    """Return whether a node is a product over tokens with a constant matrix."""
    return node.op_type == "MatMul" and _is_weight(node.inputs[1]) and array_of(node.inputs[1]).ndim == _MATRIX


def products(model: ir.Model) -> list[ir.Value]:
    """Return the activations of all products over tokens with a constant matrix, each value once."""
    found = (node.inputs[0] for node in model.graph if is_product(node))
    axes = model.graph.inputs[0].shape
    return list(dict.fromkeys(value for value in found if value is not None and _is_over_tokens(value, axes)))


def round_matrices(
    model: ir.Model, stats: Mapping[str, ActivationStats], *, smooth_all: bool = False
) -> dict[str, QuantizedMatrix]:
    """Round every matrix of a product over tokens, once for all its products, and return them by name.

    Args:
        model: the fp32 graph.
        stats: statistics of some of the activations, by name. Matrices are fitted to these; any other is rounded as it is.
        smooth_all: smooth all activations, not only normalized ones, for which smoothing is free.
    """
    groups: dict[tuple[str, ...], list[ir.Value]] = {}
    """The weights by the activations that they are fitted to, such as Q, K and V."""
    order = dict.fromkeys(cast("ir.Value", node.inputs[1]) for node in model.graph if is_product(node))
    for weight in order:
        groups.setdefault(tuple(str(value.name) for value in _known(weight, stats)), []).append(weight)

    def round_group(weights: Sequence[ir.Value]) -> dict[str, QuantizedMatrix]:
        known = _known(weights[0], stats)
        fit = _fit(known, stats, smooth_all=smooth_all) if known else UNFITTED
        return {str(weight.name): _rounded(weight, fit) for weight in weights}

    found: dict[str, QuantizedMatrix] = {}
    for matrices in each_on_one_thread(round_group, groups.values()):
        found |= matrices
    return {str(weight.name): found[str(weight.name)] for weight in order}


def _rounded(weight: ir.Value, fit: Fit) -> QuantizedMatrix:
    return QuantizedMatrix(*quantize_fitted(array_of(weight), fit), fit.smoothing)


def _known(weight: ir.Value, stats: Mapping[str, ActivationStats]) -> list[ir.Value]:
    """Return the activations that a weight is multiplied with and that there are statistics of."""
    return [value for value in _multiplied_with(weight) if value.name in stats]


def array_of(weight: ir.Value | None) -> NDArray[np.float32]:
    """Return the array of a value that is known to be a constant."""
    return cast("NDArray[np.float32]", constant_of(weight))


def _fit(known: Sequence[ir.Value], stats: Mapping[str, ActivationStats], *, smooth_all: bool) -> Fit:
    """Return the fit of a matrix to all its activations."""
    alike = all(_multiplied_with(node.inputs[1]) == known for value in known for node in value.consumers() if is_product(node))
    gram = stats[str(known[0].name)].gram.whole()
    for value in known[1:]:
        gram += stats[str(value.name)].gram.whole()
    return fit_to(gram, smooth=alike and (smooth_all or all(map(_is_normalized, known))))


def _multiplied_with(weight: ir.Value | None) -> list[ir.Value]:
    """Return the activations that a weight is multiplied with."""
    readers = () if weight is None else weight.consumers()
    return [value for node in readers if node.op_type == "MatMul" and (value := node.inputs[0]) is not None]


def _is_normalized(value: ir.Value) -> bool:
    """Return whether a value is the output of a LayerNormalization, or the first token's row of one."""
    producer = value.producer()
    if producer is not None and producer.op_type == "Slice" and producer.inputs[0] is not None:
        producer = producer.inputs[0].producer()
    return producer is not None and producer.op_type == "LayerNormalization"


def _is_over_tokens(value: ir.Value, axes: ir.Shape | None) -> bool:
    """Return whether a value is [batch, length, width], the only shape that calibration can read."""
    return axes is not None and value.shape is not None and len(value.shape) == len(axes) + 1 and value.shape[:-1] == axes[:]


def _is_weight(value: ir.Value | None) -> bool:
    array = constant_of(value)
    return array is not None and array.dtype == np.float32 and array.size >= _SMALLEST_WEIGHT and array.ndim > 1
