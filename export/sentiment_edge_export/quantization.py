"""A traced fp32 graph to int8, such that no text's result depends on its neighbours in the batch.

All weights are symmetric int8 with one fp32 scale per output channel; what becomes of the arithmetic depends on the operator:

* rows of an embedding are looked up in int8 and scaled after the lookup (a table of few rows, such as the positions, stays
  fp32: its error would be in every token);
* a product over tokens (`MatMul` with a constant matrix) runs in int8, its activations quantized at run time;
* a `GRU`, which no engine runs in int8, and a product over one row a text (`Gemm`) keep fp32 arithmetic: their weights lie as
  int8 in the file, dequantized once when an engine loads it. One row does not repay quantizing it; and it is pooled over a
  text, in an order of summation that depends on the batch: rounding would make a visible step of a difference in the last bit.

Activations are uint8, in one of two schemes:

* `per-token`: each token has its own scale, by `QuantizeLinear` in blocks as long as a token's row
  (https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html, since opset 21), and its own zero point unless such values lie
  evenly around zero. The integer product then contains every token's zero point times the sums of the matrix's columns. No
  kernel takes a zero point per row; so the zero points are appended to the activations as some more columns, and to the
  matrix rows that sum to minus the column's sum: the product comes out right.
* `per-tensor`: the classical one, one scale and zero point for the whole batch. For comparison: it makes texts depend on
  their neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import onnx_ir as ir
import torch
from onnx_ir.passes.common import RemoveUnusedNodesPass

from sentiment_edge_export.fitting import INT8_MAX, UNFITTED, Fit, fit_to, quantize_fitted, quantize_symmetric
from sentiment_edge_export.graphs import CONTRIB, GraphEditor, added_bias, constant_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sentiment_edge_export.calibration import Typical
    from sentiment_edge_runtimes.bundle import Quantization

_UINT8_MAX = 255
"""Activations are uint8: uint8 x int8 is the pair that x86 and Arm have instructions for."""
_SMALLEST_WEIGHT = 1024
"""Elements below which a tensor stays fp32: it would not shrink the file."""
_FEW_ROWS = 1024
"""Rows up to which an embedding stays fp32."""
_SMALLEST_RANGE = _UINT8_MAX * np.finfo(np.float32).tiny
"""Added to every token's range, for a padded position may be all zeros."""
_BALANCED = 0.9
"""Share of the range around zero that a token's values typically need, from which on a zero point is not worth its cost."""
_BELOW_GELU = 0.17
"""How far below zero Gelu goes, 0.16998, and nearly does for some channel of every token."""
_MATRIX = 2


class _Weight(NamedTuple):
    values: ir.Value
    """int8"""
    scales: ir.Value
    """fp32, broadcasts against the values"""


class _Matrix(NamedTuple):
    values: NDArray[np.int8]
    """[in, out]"""
    scales: NDArray[np.float32]
    """[out]"""
    smoothing: NDArray[np.float32] | None
    """[in], what its activations must be divided by first"""


class _Activations(NamedTuple):
    values: ir.Value
    """uint8"""
    scale: ir.Value
    """fp32: one for each token, or one for all"""
    zero: ir.Value | None
    """uint8, one for all; None where columns take care of it"""
    corrections: int = 0
    """How many of the columns are the token's zero point."""


def products(model: ir.Model) -> list[ir.Value]:
    """Return what the products over tokens that int8 is for are multiplied with, each value once."""
    found = (node.inputs[0] for node in model.graph if _is_product(node))
    axes = model.graph.inputs[0].shape
    return list(dict.fromkeys(value for value in found if value is not None and _is_over_tokens(value, axes)))


def quantize(model: ir.Model, scheme: Quantization, typical: Mapping[str, Typical] | None = None) -> None:
    """Make a traced fp32 model int8, in place.

    Args:
        model: as traced and fused.
        scheme: how activations are quantized.
        typical: what is known of some of the values in `products`, by name: the weights are then rounded for those; else each
            for itself.
    """
    _Quantizer(model.graph, scheme, typical or {}).run()
    RemoveUnusedNodesPass()(model)
    model.opset_imports.setdefault(CONTRIB, 1)


class _Quantizer:
    """Rewrites one graph, node by node in order."""

    def __init__(self, graph: ir.Graph, scheme: Quantization, typical: Mapping[str, Typical]) -> None:
        self._graph = graph
        self._typical = typical
        self._editor = GraphEditor(graph)
        self._scheme = scheme
        self._activations: dict[ir.Value, _Activations] = {}
        """What several products read, such as Q, K and V of an attention, is quantized once."""
        self._matrices: dict[str, _Matrix] = {}
        """What serves several products, such as the layers of ALBERT, is rounded once."""
        self._fitted: tuple[tuple[str, ...], Fit] = ((), UNFITTED)
        """The last one, with the names of the activations that it is for: Q, K and V follow each other."""

    def run(self) -> None:
        rewrites = {"Gather": self._embedding, "MatMul": self._product, "Gemm": self._stored, "GRU": self._stored}
        for node in list(self._graph):
            if node.op_type in rewrites and not node.domain:
                self._editor.before(node)
                rewrites[node.op_type](node)

    def _embedding(self, node: ir.Node) -> None:
        table, indices = node.inputs
        if table is None or not _is_weight(table) or len(_array(table)) <= _FEW_ROWS:
            return
        values, scales = self._quantized_weight(table, axis=1)
        emit = self._editor.emit
        unscaled = emit("Cast", [emit("Gather", [values, indices])], to=ir.DataType.FLOAT)
        self._editor.replace(node, emit("Mul", [unscaled, emit("Gather", [scales, indices])]))

    def _product(self, node: ir.Node) -> None:
        activations, weight = node.inputs
        if activations is None or weight is None or not _is_product(node):
            return
        # The classical kernel adds the bias; per token it comes after the scale, which that kernel does not know.
        added = added_bias(node.outputs[0]) if self._scheme == "per-tensor" else None
        product = self._int8_product(activations, weight, added.bias if added else None)
        if added is not None:
            node = added.node
        self._editor.replace(node, product)

    def _int8_product(self, activations: ir.Value, weight: ir.Value, bias: ir.Value | None) -> ir.Value:
        """Return activations x weight + bias: the integer product, scaled per column in its kernel and per token after it."""
        values, scale, zero, corrections = self._quantized_activations(activations)
        matrix = self._stored_matrix(weight, corrections)
        if self._scheme == "per-tensor":
            return self._editor.emit(
                "MatMulIntegerToFloat", [values, matrix.values, scale, matrix.scales, zero, None, bias], CONTRIB
            )
        one = self._editor.constant("quantization_one", np.array(1, np.float32))
        inputs = [values, matrix.values, one, matrix.scales, *([zero] if zero is not None else [])]
        unscaled = self._editor.emit("MatMulIntegerToFloat", inputs, CONTRIB)
        return self._editor.emit("Mul", [unscaled, scale])

    def _quantized_activations(self, activations: ir.Value) -> _Activations:
        if activations not in self._activations:
            make = self._per_tensor if self._scheme == "per-tensor" else self._per_token
            self._activations[activations] = make(activations)
        return self._activations[activations]

    def _per_tensor(self, activations: ir.Value) -> _Activations:
        values, scale, zero = self._editor.emit_several("DynamicQuantizeLinear", [activations], outputs=3)
        return _Activations(values, scale, zero)

    def _per_token(self, activations: ir.Value) -> _Activations:
        """Quantize each token for itself: around zero where its values are, else with a zero point of its own."""
        readers = _products_of(activations)
        matrices = [self._matrix(node.inputs[1]) for node in readers]
        known = self._typical.get(str(activations.name))
        producer = activations.producer()
        if matrices[0].smoothing is not None:
            activations = self._smoothed(activations, np.reciprocal(matrices[0].smoothing), len(readers))
        if known is not None and known.balance >= _BALANCED:
            return self._around_zero(activations, len(matrices[0].values))
        corrections = max(_rows_needed(matrix.values) for matrix in matrices)
        is_gelu = producer is not None and producer.op_type == "Gelu"
        return self._with_zero_point(activations, len(matrices[0].values), corrections, is_gelu=is_gelu)

    def _around_zero(self, activations: ir.Value, width: int) -> _Activations:
        """Quantize each token by its largest magnitude: values / scale + 127."""
        emit, constant = self._editor.emit, self._editor.constant
        largest = emit("Add", [self._reduced("ReduceMax", emit("Abs", [activations])), self._smallest_range()])
        scale = emit("Mul", [largest, constant("quantization_signed_step", np.array(1 / INT8_MAX, np.float32))])
        middle = emit("QuantizeLinear", [largest, scale], axis=-1, block_size=1)  # 127 for each token, as blocks want it
        values = emit("QuantizeLinear", [activations, scale, middle], axis=-1, block_size=width)
        return _Activations(values, scale, constant("quantization_middle", np.array(INT8_MAX, np.uint8)))

    def _with_zero_point(self, activations: ir.Value, width: int, corrections: int, *, is_gelu: bool) -> _Activations:
        """Quantize each token by its range, zero in it: values / scale + zero point; append the zero point some times.

        The range is from -|least| to |greatest|: around zero, the same as from least to greatest, with fewer nodes.
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
        return _Activations(emit("Concat", [values, columns], axis=-1), scale, None, corrections)

    def _reduced(self, operator: str, activations: ir.Value) -> ir.Value:
        """Return the extreme of each token, [batch, length, 1]."""
        last_axis = self._editor.constant("quantization_last_axis", np.array([-1], np.int64))
        return self._editor.emit(operator, [activations, last_axis], keepdims=1)

    def _smallest_range(self) -> ir.Value:
        return self._editor.constant("quantization_smallest_range", np.array(_SMALLEST_RANGE, np.float32))

    def _smoothed(self, activations: ir.Value, factors: NDArray[np.float32], readers: int) -> ir.Value:
        """Return activations times factors [width]; a norm that has no other readers takes them into its own."""
        norm = activations.producer()
        if norm is None or norm.op_type != "LayerNormalization" or len(activations.uses()) > readers:
            return self._editor.emit("Mul", [activations, self._editor.constant(f"{activations.name}_smoothing", factors)])
        for position, kind in ((1, "scale"), (2, "bias")):
            if position < len(norm.inputs) and norm.inputs[position] is not None:
                factored = _array(norm.inputs[position]) * factors
                norm.replace_input_with(position, self._editor.constant(f"{activations.name}_smoothed_{kind}", factored))
        return activations

    def _stored(self, node: ir.Node) -> None:
        """Feed the node's weights through Cast and Mul, which ONNX Runtime folds into a constant when it loads the file."""
        contracted = -1 if node.op_type == "GRU" or _attribute(node, "transB") else 0
        for position, weight in enumerate(node.inputs[1:3], start=1):
            if weight is not None and _is_weight(weight):
                values, scales = self._quantized_weight(weight, contracted)
                unscaled = self._editor.emit("Cast", [values], to=ir.DataType.FLOAT)
                node.replace_input_with(position, self._editor.emit("Mul", [unscaled, scales]))

    def _matrix(self, weight: ir.Value | None) -> _Matrix:
        """Quantize a matrix for products in int8."""
        name = str(weight.name if weight else None)
        if name not in self._matrices:
            fit = self._fit_for(weight)
            self._matrices[name] = _Matrix(*quantize_fitted(_array(weight), fit), fit.smoothing)
        return self._matrices[name]

    def _fit_for(self, weight: ir.Value | None) -> Fit:
        """Find out how to fit a weight to all that it is multiplied with."""
        known = [value for value in _multiplied_with(weight) if value.name in self._typical]
        names = tuple(str(value.name) for value in known)
        if not names:
            return UNFITTED
        if names != self._fitted[0]:
            alike = all(_multiplied_with(node.inputs[1]) == known for value in known for node in _products_of(value))
            grams = [self._typical[name].gram for name in names]
            gram = grams[0] if len(grams) == 1 else torch.stack(grams).sum(dim=0)
            self._fitted = names, fit_to(gram, smooth=alike and all(map(_is_normalized, known)))
        return self._fitted[1]

    def _stored_matrix(self, weight: ir.Value, corrections: int) -> _Weight:
        """Return constants of the matrix: values [in + corrections, out], scales [out]."""
        values, scales, _ = self._matrix(weight)
        if corrections:
            values = np.concatenate((values, _correction_rows(values, corrections)))
        return self._stored_as(f"{weight.name}_int8_matrix_{corrections}", values, scales)

    def _quantized_weight(self, weight: ir.Value, axis: int) -> _Weight:
        """Quantize a weight with one scale for everything that one output sums over, which is `axis`."""
        values, scales = quantize_symmetric(_array(weight), axis)
        return self._stored_as(f"{weight.name}_int8_{axis % values.ndim}", values, scales)

    def _stored_as(self, name: str, values: NDArray[np.int8], scales: NDArray[np.float32]) -> _Weight:
        return _Weight(self._editor.constant(name, values), self._editor.constant(f"{name}_scale", scales))


def _multiplied_with(weight: ir.Value | None) -> list[ir.Value]:
    """Return the activations of the products over tokens that a weight serves."""
    readers = () if weight is None else weight.consumers()
    return [value for node in readers if node.op_type == "MatMul" and (value := node.inputs[0]) is not None]


def _products_of(activations: ir.Value) -> list[ir.Node]:
    return [node for node in activations.consumers() if _is_product(node)]


def _is_normalized(value: ir.Value) -> bool:
    """Whether a value comes from a LayerNormalization, all of it or the first token's row."""
    producer = value.producer()
    if producer is not None and producer.op_type == "Slice" and producer.inputs[0] is not None:
        producer = producer.inputs[0].producer()
    return producer is not None and producer.op_type == "LayerNormalization"


def _rows_needed(values: NDArray[np.int8]) -> int:
    """Return how many int8 rows it takes to undo the sums of the columns."""
    return max(1, -(-int(np.abs(values.sum(axis=0, dtype=np.int64)).max()) // INT8_MAX))


def _correction_rows(values: NDArray[np.int8], rows: int) -> NDArray[np.int8]:
    """Return int8 [rows, columns] that sum to minus the columns' sums, spread evenly."""
    sums = -values.sum(axis=0, dtype=np.int64)
    edges = np.rint(np.linspace(0, 1, rows + 1)[:, None] * sums)
    correction: NDArray[np.int8] = np.diff(edges, axis=0).astype(np.int8)
    return correction


def _is_product(node: ir.Node) -> bool:
    """Whether a node is a product over tokens with a constant matrix."""
    return node.op_type == "MatMul" and _is_weight(node.inputs[1]) and _array(node.inputs[1]).ndim == _MATRIX


def _is_over_tokens(value: ir.Value, axes: ir.Shape | None) -> bool:
    """Whether a value is [batch, length, width]; others are not what calibration takes them for."""
    return axes is not None and value.shape is not None and len(value.shape) == len(axes) + 1 and value.shape[:-1] == axes[:]


def _is_weight(value: ir.Value | None) -> bool:
    array = constant_of(value)
    return array is not None and array.dtype == np.float32 and array.size >= _SMALLEST_WEIGHT and array.ndim > 1


def _array(weight: ir.Value | None) -> NDArray[np.float32]:
    return cast("NDArray[np.float32]", constant_of(weight))


def _attribute(node: ir.Node, name: str) -> int:
    return node.attributes[name].as_int() if name in node.attributes else 0
