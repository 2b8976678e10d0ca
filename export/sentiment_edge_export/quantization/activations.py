"""Nodes that quantize activations to uint8."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_export.quantization.fitting import INT8_MAX
from sentiment_edge_export.quantization.weights import array_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx_ir as ir
    from numpy.typing import NDArray

    from sentiment_edge_export.graph.editor import GraphEditor
    from sentiment_edge_export.quantization.static import QuantParams
    from sentiment_edge_export.quantization.weights import QuantizedMatrix

_UINT8_MAX = 255
"""Activations are uint8: uint8 x int8 is the pair that x86 and Arm have instructions for."""
_SMALLEST_RANGE = _UINT8_MAX * np.finfo(np.float32).tiny
"""Added to every token's range, because a padded position may be all zeros."""
_BALANCED = 0.9
"""The balance (see `ActivationStats`) from which a zero point is not worth its cost."""
_BELOW_GELU = 0.17
"""The depth of Gelu's minimum, 0.16998, which some channel of nearly every token comes close to."""


class QuantizedActivations(NamedTuple):
    """The values of a graph that hold quantized activations."""

    values: ir.Value
    """uint8"""
    scale: ir.Value
    """fp32, one for each token or one for all"""
    zero: ir.Value | None
    """uint8, one for all; None where zero points are appended as columns"""
    corrections: int = 0
    """The number of columns at the end that hold the token's zero point."""


def correction_rows(values: NDArray[np.int8], rows: int) -> NDArray[np.int8]:
    """Return int8 [rows, columns] whose columns sum to minus the sums of the values' columns, spread evenly over the rows."""
    sums = -values.sum(axis=0, dtype=np.int64)
    edges = np.rint(np.linspace(0, 1, rows + 1)[:, None] * sums)
    correction: NDArray[np.int8] = np.diff(edges, axis=0).astype(np.int8)
    return correction


class ActivationQuantizer:
    """Adds nodes that quantize activations, at the editor's place in the graph."""

    def __init__(self, editor: GraphEditor) -> None:
        self._editor = editor

    def per_tensor(self, activations: ir.Value) -> QuantizedActivations:
        """Quantize the whole batch by its range."""
        values, scale, zero = self._editor.emit_several("DynamicQuantizeLinear", [activations], outputs=3)
        return QuantizedActivations(values, scale, zero)

    def per_token(
        self, activations: ir.Value, matrices: Sequence[QuantizedMatrix], balance: float | None, *, may_change: bool
    ) -> QuantizedActivations:
        """Quantize each token separately: symmetrically where its values are balanced, else with a zero point of its own.

        Args:
            activations: [batch, length, width].
            matrices: all matrices that they are multiplied with, which share their smoothing.
            balance: their balance (see `ActivationStats`), if known.
            may_change: whether nothing else reads the activations.
        """
        producer = activations.producer()
        if matrices[0].smoothing is not None:
            activations = self._smoothed(activations, np.reciprocal(matrices[0].smoothing), may_change=may_change)
        width = len(matrices[0].values)
        if balance is not None and balance >= _BALANCED:
            return self._symmetric(activations, width)
        corrections = max(_rows_needed(matrix.values) for matrix in matrices)
        is_gelu = producer is not None and producer.op_type == "Gelu"
        return self._with_zero_point(activations, width, corrections, is_gelu=is_gelu)

    def static(
        self, activations: ir.Value, smoothing: NDArray[np.float32] | None, params: QuantParams, *, may_change: bool
    ) -> QuantizedActivations:
        """Quantize the activations, divided by their smoothing, by parameters that were fixed ahead of time."""
        name = activations.name
        if smoothing is not None:
            activations = self._smoothed(activations, np.reciprocal(smoothing), may_change=may_change)
        scale = self._editor.constant(f"{name}_step", np.array(params.scale))
        zero = self._editor.constant(f"{name}_zero", np.array(params.zero))
        values = self._editor.emit("QuantizeLinear", [activations, scale, zero])
        return QuantizedActivations(values, scale, zero)

    def _symmetric(self, activations: ir.Value, width: int) -> QuantizedActivations:
        """Quantize each token by its largest magnitude: values / scale + 127."""
        emit, constant = self._editor.emit, self._editor.constant
        largest = emit("Add", [self._reduced("ReduceMax", emit("Abs", [activations])), self._smallest_range()])
        scale = emit("Mul", [largest, constant("quantization_signed_step", np.array(1 / INT8_MAX, np.float32))])
        middle = emit(
            "QuantizeLinear", [largest, scale], axis=-1, block_size=1
        )  # 127 for each token, as quantizing in blocks requires
        values = emit("QuantizeLinear", [activations, scale, middle], axis=-1, block_size=width)
        return QuantizedActivations(values, scale, constant("quantization_middle", np.array(INT8_MAX, np.uint8)))

    def _with_zero_point(self, activations: ir.Value, width: int, corrections: int, *, is_gelu: bool) -> QuantizedActivations:
        """Quantize each token by its range: values / scale + zero point; append columns that hold the zero point.

        The range is from -|least| to |greatest|. Where that includes zero it is the same as from least to greatest, but takes
        fewer nodes.
        """
        emit, constant = self._editor.emit, self._editor.constant
        above = emit("Abs", [self._reduced("ReduceMax", activations)])
        if is_gelu:
            bound = constant("quantization_below_gelu", np.array(_BELOW_GELU, np.float32))
            below = emit("Clip", [above, bound, bound])
        else:
            below = emit("Abs", [self._reduced("ReduceMin", activations)])
        spread = emit("Sum", [below, above, self._smallest_range()])
        scale = emit("Mul", [spread, constant("quantization_step", np.array(1 / _UINT8_MAX, np.float32))])
        zero = emit("QuantizeLinear", [below, scale], axis=-1, block_size=1)
        values = emit("QuantizeLinear", [activations, scale, zero], axis=-1, block_size=width)
        shape = constant(f"quantization_corrections_{corrections}", np.array([1, corrections], np.int64))
        columns = emit("Expand", [zero, shape])
        return QuantizedActivations(emit("Concat", [values, columns], axis=-1), scale, None, corrections)

    def _reduced(self, operator: str, activations: ir.Value) -> ir.Value:
        """Return the extreme value of each token, [batch, length, 1]."""
        last_axis = self._editor.constant("quantization_last_axis", np.array([-1], np.int64))
        return self._editor.emit(operator, [activations, last_axis], keepdims=1)

    def _smallest_range(self) -> ir.Value:
        return self._editor.constant("quantization_smallest_range", np.array(_SMALLEST_RANGE, np.float32))

    def _smoothed(self, activations: ir.Value, factors: NDArray[np.float32], *, may_change: bool) -> ir.Value:
        """Return activations times factors [width], folded into the layer normalization before them if they may change."""
        norm = activations.producer()
        if norm is None or norm.op_type != "LayerNormalization" or not may_change:
            return self._editor.emit("Mul", [activations, self._editor.constant(f"{activations.name}_smoothing", factors)])
        for position, kind in ((1, "scale"), (2, "bias")):
            if position < len(norm.inputs) and norm.inputs[position] is not None:
                factored = array_of(norm.inputs[position]) * factors
                norm.replace_input_with(position, self._editor.constant(f"{activations.name}_smoothed_{kind}", factored))
        return activations


def _rows_needed(values: NDArray[np.int8]) -> int:
    """Return the number of int8 rows that it takes to cancel the sums of the columns."""
    return max(1, -(-int(np.abs(values.sum(axis=0, dtype=np.int64)).max()) // INT8_MAX))
