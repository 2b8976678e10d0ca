"""A traced fp32 graph to int8; unless for comparison, such that no text's result hangs on its neighbours in the batch.

All weights are symmetric int8 with one fp32 scale per output channel; what becomes of the arithmetic depends on the operator:

* rows of an embedding are looked up in int8 and scaled after the lookup (a table of few rows, such as the positions, stays
  fp32: its error would be in every token);
* a product over tokens (`MatMul` with a constant matrix) runs in int8, its activations quantized at run time;
* a `GRU`, which no engine runs in int8, and a product over one row a text (`Gemm`) keep fp32 arithmetic: their weights lie as
  int8 in the file, dequantized once when an engine loads it. One row does not repay quantizing it; and it is pooled over a
  text, in an order of summation that depends on the batch: rounding would make a visible step of a difference in the last bit.

Activations are uint8, in one of these schemes:

* `per-token`: each token has its own scale, by `QuantizeLinear` in blocks as long as a token's row
  (https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html, since opset 21), and its own zero point unless such values lie
  evenly around zero. The integer product then contains every token's zero point times the sums of the matrix's columns. No
  kernel takes a zero point per row; so the zero points are appended to the activations as some more columns, and to the
  matrix rows that sum to minus the column's sum: the product comes out right.
* `per-tensor`: the classical one, one scale and zero point for the whole batch. For comparison: it makes texts depend on
  their neighbours.
* `static`: one scale and zero point for each product, from calibration (`static.py`), as pairs of QuantizeLinear and
  DequantizeLinear around a product in fp32. OpenVINO makes integer products of these.
* `stored`: none; products stay fp32, and only their weights lie as int8 in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from sentiment_edge_export.graph.editor import CONTRIB, GraphEditor, added_bias
from sentiment_edge_export.quantization.activations import ActivationQuantizer, Quantized, correction_rows
from sentiment_edge_export.quantization.fitting import quantize_symmetric
from sentiment_edge_export.quantization.static import Step, static_steps
from sentiment_edge_export.quantization.weights import (
    Matrix,
    array_of,
    is_product,
    products,
    quantized_weights,
    round_matrices,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from sentiment_edge_export.quantization.calibration import Batches, Typical
    from sentiment_edge_runtimes.vocabulary import Scheme

__all__ = ["SWITCHES", "Int8Recipe", "int8_recipe", "products", "quantize", "switchable"]

SWITCHES = "switches"
"""Input of a switchable graph."""


class Int8Recipe(NamedTuple):
    """All that is to be known of a graph before it is made int8."""

    scheme: Scheme
    """How activations are quantized."""
    typical: Mapping[str, Typical]
    """What is known of the values in `products`, by name."""
    matrices: Mapping[str, Matrix]
    """What the matrices of products over tokens are rounded to, by name."""
    weights: Mapping[str, int]
    """Elements of every weight that becomes int8, by name, in the order of the graph."""
    steps: Mapping[str, Step]
    """Of the values that are quantized ahead of time, by name."""


def int8_recipe(model: ir.Model, scheme: Scheme, typical: Mapping[str, Typical], batches: Batches) -> Int8Recipe:
    """Prepare to quantize a graph, as traced and fused: round its matrices, for typical activations where these are known.

    Args:
        model: in fp32.
        scheme: how its activations are to be quantized.
        typical: what is known of the values in `products`, by name.
        batches: ids and mask, [batch, length], to find static steps with.
    """
    weights = {str(value.name): array_of(value).size for node in model.graph for value in quantized_weights(node)}
    matrices = round_matrices(model, typical, smooth_all=scheme == "static")
    steps = static_steps(model, matrices, batches) if scheme == "static" else {}
    return Int8Recipe(scheme, typical, matrices, weights, steps)


def quantize(model: ir.Model, recipe: Int8Recipe, fp32: AbstractSet[str] = frozenset()) -> ir.Model:
    """Return the model in int8, but for the weights named in `fp32`; the model itself stays as it is."""
    return _rewritten(model, recipe, fp32, _Quantizer)


def switchable(model: ir.Model, recipe: Int8Recipe) -> ir.Model:
    """Return a model that is both: each weight counts as int8 or fp32 by its number in one more input.

    That input, `SWITCHES`, is float32 [weights], 1 for int8 and 0 for fp32, in the order of the recipe's weights.
    """
    return _rewritten(model, recipe, frozenset(), _Switcher)


def _rewritten(model: ir.Model, recipe: Int8Recipe, fp32: AbstractSet[str], quantizer: type[_Quantizer]) -> ir.Model:
    model = model.clone()
    quantizer(model.graph, recipe, fp32).run()
    RemoveUnusedNodesPass()(model)
    model.opset_imports.setdefault(CONTRIB, 1)
    return model


class _Quantizer:
    """Rewrites one graph, node by node in order."""

    def __init__(self, graph: ir.Graph, recipe: Int8Recipe, fp32: AbstractSet[str]) -> None:
        self._graph = graph
        self._recipe = recipe
        self._fp32 = fp32
        self._editor = GraphEditor(graph)
        self._quantizer = ActivationQuantizer(self._editor)
        self._activations: dict[ir.Value, Quantized] = {}
        """What several products read, such as Q, K and V of an attention, is quantized once."""
        self._rounded: dict[ir.Value, ir.Value] = {}
        """The same of static steps."""

    def run(self) -> None:
        rewrites: dict[str, Callable[[ir.Node, Sequence[ir.Value]], None]]
        rewrites = {"Gather": self._embedding, "MatMul": self._product, "Gemm": self._stored, "GRU": self._stored}
        for node in list(self._graph):
            if weights := [weight for weight in quantized_weights(node) if weight.name not in self._fp32]:
                self._editor.before(node)
                rewrites[node.op_type](node, weights)

    def _use_result(self, node: ir.Node, result: ir.Value, _weight: ir.Value) -> None:
        """Let an int8 result take the place of a node's."""
        self._editor.replace(node, result)

    def _use_weight(self, node: ir.Node, weight: ir.Value, unscaled: ir.Value, scales: ir.Value) -> None:
        """Let a node read a weight that is stored as int8."""
        node.replace_input_with(node.inputs.index(weight), self._editor.emit("Mul", [unscaled, scales]))

    def _may_change(self, activations: ir.Value, readers: int) -> bool:
        """Whether nothing but so many products reads a value."""
        return len(activations.uses()) == readers

    def _embedding(self, node: ir.Node, weights: Sequence[ir.Value]) -> None:
        values, scales = self._stored_weight(weights[0], axis=1)
        emit = self._editor.emit
        unscaled = emit("Cast", [emit("Gather", [values, node.inputs[1]])], to=ir.DataType.FLOAT)
        self._use_result(node, emit("Mul", [unscaled, emit("Gather", [scales, node.inputs[1]])]), weights[0])

    def _stored(self, node: ir.Node, weights: Sequence[ir.Value]) -> None:
        """Feed the node's weights through Cast and Mul, which ONNX Runtime folds into a constant when it loads the file."""
        contracted = -1 if node.op_type == "GRU" or _attribute(node, "transB") else 0
        for weight in weights:
            values, scales = self._stored_weight(weight, contracted)
            self._use_weight(node, weight, self._editor.emit("Cast", [values], to=ir.DataType.FLOAT), scales)

    def _product(self, node: ir.Node, weights: Sequence[ir.Value]) -> None:
        activations = node.inputs[0]
        if activations is None:
            return
        if self._recipe.scheme == "static" and activations.name in self._recipe.steps:
            self._use_result(node, self._static_product(activations, weights[0]), weights[0])
            return
        if self._recipe.scheme in {"static", "stored"}:
            self._stored(node, weights)
            return
        # The classical kernel adds the bias; per token it comes after the scale, which that kernel does not know.
        added = added_bias(node.outputs[0]) if self._recipe.scheme == "per-tensor" else None
        product = self._int8_product(activations, weights[0], added.bias if added else None)
        self._use_result(added.node if added else node, product, weights[0])

    def _static_product(self, activations: ir.Value, weight: ir.Value) -> ir.Value:
        """Return activations x weight, both rounded: an engine that knows such pairs multiplies integers."""
        matrix = self._recipe.matrices[str(weight.name)]
        if activations not in self._rounded:
            step = self._recipe.steps[str(activations.name)]
            may_change = self._may_change(activations, len(self._matrices_of(activations)))
            self._rounded[activations] = self._quantizer.static(activations, matrix.smoothing, step, may_change=may_change)
        values, scales = self._constants(f"{weight.name}_int8_matrix_0", matrix.values, matrix.scales)
        dequantized = self._editor.emit("DequantizeLinear", [values, scales], axis=1)
        return self._editor.emit("MatMul", [self._rounded[activations], dequantized])

    def _int8_product(self, activations: ir.Value, weight: ir.Value, bias: ir.Value | None) -> ir.Value:
        """Return activations x weight + bias: the integer product, scaled per column in its kernel and per token after it."""
        values, scale, zero, corrections = self._quantized(activations)
        matrix, scales = self._stored_matrix(weight, corrections)
        if self._recipe.scheme == "per-tensor":
            return self._editor.emit("MatMulIntegerToFloat", [values, matrix, scale, scales, zero, None, bias], CONTRIB)
        one = self._editor.constant("quantization_one", np.array(1, np.float32))
        inputs = [values, matrix, one, scales, *([zero] if zero is not None else [])]
        unscaled = self._editor.emit("MatMulIntegerToFloat", inputs, CONTRIB)
        return self._editor.emit("Mul", [unscaled, scale])

    def _quantized(self, activations: ir.Value) -> Quantized:
        if activations not in self._activations:
            self._activations[activations] = self._quantize(activations)
        return self._activations[activations]

    def _quantize(self, activations: ir.Value) -> Quantized:
        if self._recipe.scheme == "per-tensor":
            return self._quantizer.per_tensor(activations)
        matrices = self._matrices_of(activations)
        known = self._recipe.typical.get(str(activations.name))
        may_change = self._may_change(activations, len(matrices))
        return self._quantizer.per_token(activations, matrices, known, may_change=may_change)

    def _matrices_of(self, activations: ir.Value) -> list[Matrix]:
        """Return what a value is multiplied with in int8."""
        weights = [str(node.inputs[1].name) for node in activations.consumers() if is_product(node) and node.inputs[1]]
        return [self._recipe.matrices[name] for name in weights if name not in self._fp32]

    def _stored_matrix(self, weight: ir.Value, corrections: int) -> tuple[ir.Value, ir.Value]:
        """Return constants of the matrix: values [in + corrections, out], scales [out]."""
        values, scales, _ = self._recipe.matrices[str(weight.name)]
        if corrections:
            values = np.concatenate((values, correction_rows(values, corrections)))
        return self._constants(f"{weight.name}_int8_matrix_{corrections}", values, scales)

    def _stored_weight(self, weight: ir.Value, axis: int) -> tuple[ir.Value, ir.Value]:
        """Return constants of a weight with one scale for everything that one output sums over, which is `axis`."""
        values, scales = quantize_symmetric(array_of(weight), axis)
        return self._constants(f"{weight.name}_int8_{axis % values.ndim}", values, scales)

    def _constants(self, name: str, values: NDArray[np.int8], scales: NDArray[np.float32]) -> tuple[ir.Value, ir.Value]:
        return self._editor.constant(name, values), self._editor.constant(f"{name}_scale", scales)


class _Switcher(_Quantizer):
    """Keeps what it rewrites, and lets an input of the graph choose."""

    def __init__(self, graph: ir.Graph, recipe: Int8Recipe, fp32: AbstractSet[str]) -> None:
        super().__init__(graph, recipe, fp32)
        self._positions = {name: position for position, name in enumerate(recipe.weights)}
        shape = ir.Shape([len(self._positions)])
        self._switches = ir.Value(name=SWITCHES, shape=shape, type=ir.TensorType(ir.DataType.FLOAT))
        graph.inputs.append(self._switches)

    def run(self) -> None:
        super().run()
        self._graph.sort()

    def _use_result(self, node: ir.Node, result: ir.Value, weight: ir.Value) -> None:
        self._editor.detour(node, lambda whole: self._between(whole, result, weight))

    def _use_weight(self, node: ir.Node, weight: ir.Value, unscaled: ir.Value, scales: ir.Value) -> None:
        stored = self._editor.emit("Mul", [unscaled, scales])
        node.replace_input_with(node.inputs.index(weight), self._between(weight, stored, weight))

    def _may_change(self, activations: ir.Value, readers: int) -> bool:  # noqa: ARG002 - the fp32 products read them too
        return False

    def _between(self, fp32: ir.Value, int8: ir.Value, weight: ir.Value) -> ir.Value:
        """Return fp32 where the weight's switch is 0, int8 where it is 1."""
        emit = self._editor.emit
        position = self._editor.constant(f"{weight.name}_position", np.array(self._positions[str(weight.name)], np.int64))
        switch = emit("Gather", [self._switches, position])
        return emit("Add", [fp32, emit("Mul", [switch, emit("Sub", [int8, fp32])])])


def _attribute(node: ir.Node, name: str) -> int:
    return node.attributes[name].as_int() if name in node.attributes else 0
