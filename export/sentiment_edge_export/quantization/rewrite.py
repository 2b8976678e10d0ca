"""Rewriting a traced fp32 graph to int8.

All weights are symmetric int8 with one fp32 scale per output channel. The arithmetic depends on the operator:

* rows of an embedding are looked up in int8 and scaled after the lookup (a table of few rows, such as the positions, stays
  fp32, because its error would be in every token);
* a product over tokens (`MatMul` with a constant matrix) runs in int8, its activations quantized at run time;
* a `GRU`, which no engine runs in int8, and a product over one row per text (`Gemm`) are weight-only: the weights are int8 in
  the file and dequantized once when an engine loads it; the arithmetic is fp32. Quantizing a single row does not pay; and the
  row is pooled over a text in an order of summation that depends on the batch, so that rounding could turn a difference in
  the last bit into a whole step.

Activations are uint8, in one of these schemes:

* `per-token`: each token has its own scale, by `QuantizeLinear` in blocks as long as a token's row
  (https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html, since opset 21), and its own zero point unless the values are
  balanced around zero. The integer product then contains each token's zero point times the sums of the matrix's columns. No
  kernel takes a zero point per row; so the zero points are appended to the activations as additional columns, and rows that
  sum to minus the sums of its columns to the matrix, which cancels that term. A text's result does not depend on its batch.
* `per-tensor`: dynamic quantization as usual, with one scale and zero point for the whole batch. It is for comparison only,
  because a text's result depends on its batch.
* `static`: one scale and zero point for each product, from calibration (`static.py`): one QuantizeLinear for what several
  products read, then integer products that add the bias too; or, for an engine that makes these itself, pairs of
  QuantizeLinear and DequantizeLinear around products in fp32.
* `weight-only`: activations stay fp32, as do the products; only the weights in the file are int8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from sentiment_edge_export.graph.editor import CONTRIB, GraphEditor, added_bias
from sentiment_edge_export.quantization.activations import ActivationQuantizer, QuantizedActivations, correction_rows
from sentiment_edge_export.quantization.fitting import quantize_symmetric
from sentiment_edge_export.quantization.static import QuantParams, static_params
from sentiment_edge_export.quantization.weights import (
    QuantizedMatrix,
    array_of,
    is_product,
    quantized_weights,
    round_matrices,
)
from sentiment_edge_runtimes.progress import SILENT, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from sentiment_edge_export.quantization.calibration import ActivationStats, Batches
    from sentiment_edge_runtimes.vocabulary import Scheme

SWITCHES = "switches"
"""The additional input of a switchable graph."""


class Int8Recipe(NamedTuple):
    """Everything that it takes to rewrite a graph to int8, whichever of its weights stay fp32."""

    scheme: Scheme
    """The kind of int8."""
    balances: Mapping[str, float]
    """The balance of activations (see `ActivationStats`), by name."""
    matrices: Mapping[str, QuantizedMatrix]
    """The rounded matrices of products over tokens, by name."""
    weights: Mapping[str, int]
    """The number of elements of every weight that becomes int8, by name, in the order of the graph."""
    params: Mapping[str, QuantParams]
    """Scale and zero point of the activations for which they are fixed ahead of time, by name."""
    integer_products: bool = True
    """Whether static int8 has products of integers, and not pairs of nodes around products in fp32."""


def int8_recipe(
    model: ir.Model,
    scheme: Scheme,
    stats: Mapping[str, ActivationStats],
    batches: Batches,
    *,
    integer_products: bool = True,
    progress: Progress = SILENT,
) -> Int8Recipe:
    """Prepare to quantize a graph: round its matrices, fitted to activation statistics where there are any.

    Args:
        model: the fp32 graph.
        scheme: the kind of int8.
        stats: statistics of activations, by name.
        batches: ids and mask, [batch, length], of the texts to find static scales with.
        integer_products: as in `Int8Recipe`.
        progress: hears what share of the texts is done.
    """
    weights = {str(value.name): array_of(value).size for node in model.graph for value in quantized_weights(node)}
    matrices = round_matrices(model, stats, smooth_all=scheme == "static")
    params = static_params(model, matrices, stats, batches, progress) if scheme == "static" else {}
    balances = {name: each.balance for name, each in stats.items()}
    return Int8Recipe(scheme, balances, matrices, weights, params, integer_products)


def quantize(model: ir.Model, recipe: Int8Recipe, fp32: AbstractSet[str] = frozenset()) -> ir.Model:
    """Return the model in int8, except for the weights named in `fp32`; the argument is not changed."""
    return _rewritten(model, recipe, fp32, _Quantizer)


def switchable(model: ir.Model, recipe: Int8Recipe) -> ir.Model:
    """Return a model in which an additional input chooses for each weight whether it is int8 or fp32.

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
        self._activations: dict[ir.Value, QuantizedActivations] = {}
        """Activations that several products read, such as Q, K and V of an attention, are quantized once."""
        self._dequantized: dict[ir.Value, ir.Value] = {}
        """The same, dequantized for products in fp32."""

    def run(self) -> None:
        rewrites: dict[str, Callable[[ir.Node, Sequence[ir.Value]], None]]
        rewrites = {"Gather": self._embedding, "MatMul": self._product, "Gemm": self._weight_only, "GRU": self._weight_only}
        for node in list(self._graph):
            if weights := [weight for weight in quantized_weights(node) if weight.name not in self._fp32]:
                self._editor.before(node)
                rewrites[node.op_type](node, weights)

    def _use_result(self, node: ir.Node, result: ir.Value, _weight: ir.Value) -> None:
        """Replace a node by its int8 result."""
        self._editor.replace(node, result)

    def _use_weight(self, node: ir.Node, weight: ir.Value, unscaled: ir.Value, scales: ir.Value) -> None:
        """Make a node read a weight that is dequantized from int8."""
        node.replace_input_with(node.inputs.index(weight), self._editor.emit("Mul", [unscaled, scales]))

    def _may_change(self, activations: ir.Value, readers: int) -> bool:
        """Return whether a value has no readers besides this number of products."""
        return len(activations.uses()) == readers

    def _embedding(self, node: ir.Node, weights: Sequence[ir.Value]) -> None:
        values, scales = self._int8_weight(weights[0], axis=1)
        emit = self._editor.emit
        unscaled = emit("Cast", [emit("Gather", [values, node.inputs[1]])], to=ir.DataType.FLOAT)
        self._use_result(node, emit("Mul", [unscaled, emit("Gather", [scales, node.inputs[1]])]), weights[0])

    def _weight_only(self, node: ir.Node, weights: Sequence[ir.Value]) -> None:
        """Dequantize the node's weights by Cast and Mul, which engines fold into a constant when they load the file."""
        contracted = -1 if node.op_type == "GRU" or _attribute(node, "transB") else 0
        for weight in weights:
            values, scales = self._int8_weight(weight, contracted)
            self._use_weight(node, weight, self._editor.emit("Cast", [values], to=ir.DataType.FLOAT), scales)

    def _product(self, node: ir.Node, weights: Sequence[ir.Value]) -> None:
        activations = node.inputs[0]
        if activations is None:
            return
        scheme = self._recipe.scheme
        if scheme == "weight-only" or (scheme == "static" and activations.name not in self._recipe.params):
            self._weight_only(node, weights)
        elif scheme == "static" and not self._recipe.integer_products:
            self._use_result(node, self._dequantized_product(activations, weights[0]), weights[0])
        else:  # per token the bias follows the scale, which the kernel does not apply
            added = None if scheme == "per-token" else added_bias(node.outputs[0])
            product = self._int8_product(activations, weights[0], added.bias if added else None)
            self._use_result(added.node if added else node, product, weights[0])

    def _dequantized_product(self, activations: ir.Value, weight: ir.Value) -> ir.Value:
        """Return activations x weight, both quantized and dequantized, which an engine turns into an integer product."""
        emit = self._editor.emit
        if activations not in self._dequantized:
            values, scale, zero, _ = self._quantized(activations)
            self._dequantized[activations] = emit("DequantizeLinear", [values, scale, zero])
        matrix, scales = self._int8_matrix(weight, corrections=0)
        return emit("MatMul", [self._dequantized[activations], emit("DequantizeLinear", [matrix, scales], axis=1)])

    def _int8_product(self, activations: ir.Value, weight: ir.Value, bias: ir.Value | None) -> ir.Value:
        """Return activations x weight + bias: an integer product, scaled by its kernel, but for tokens' scales, after it."""
        values, scale, zero, corrections = self._quantized(activations)
        matrix, scales = self._int8_matrix(weight, corrections)
        if self._recipe.scheme != "per-token":
            return self._editor.emit("MatMulIntegerToFloat", [values, matrix, scale, scales, zero, None, bias], CONTRIB)
        one = self._editor.constant("quantization_one", np.array(1, np.float32))
        inputs = [values, matrix, one, scales, *([zero] if zero is not None else [])]
        unscaled = self._editor.emit("MatMulIntegerToFloat", inputs, CONTRIB)
        return self._editor.emit("Mul", [unscaled, scale])

    def _quantized(self, activations: ir.Value) -> QuantizedActivations:
        if activations not in self._activations:
            self._activations[activations] = self._quantize(activations)
        return self._activations[activations]

    def _quantize(self, activations: ir.Value) -> QuantizedActivations:
        if self._recipe.scheme == "per-tensor":
            return self._quantizer.per_tensor(activations)
        matrices = self._matrices_of(activations)
        may_change = self._may_change(activations, len(matrices))
        if self._recipe.scheme == "static":
            params = self._recipe.params[str(activations.name)]
            return self._quantizer.static(activations, matrices[0].smoothing, params, may_change=may_change)
        balance = self._recipe.balances.get(str(activations.name))
        return self._quantizer.per_token(activations, matrices, balance, may_change=may_change)

    def _matrices_of(self, activations: ir.Value) -> list[QuantizedMatrix]:
        """Return the matrices that a value is multiplied with in int8."""
        weights = [str(node.inputs[1].name) for node in activations.consumers() if is_product(node) and node.inputs[1]]
        return [self._recipe.matrices[name] for name in weights if name not in self._fp32]

    def _int8_matrix(self, weight: ir.Value, corrections: int) -> tuple[ir.Value, ir.Value]:
        """Return the constants of a matrix: values [in + corrections, out], scales [out]."""
        values, scales, _ = self._recipe.matrices[str(weight.name)]
        if corrections:
            values = np.concatenate((values, correction_rows(values, corrections)))
        return self._constants(f"{weight.name}_int8_matrix_{corrections}", values, scales)

    def _int8_weight(self, weight: ir.Value, axis: int) -> tuple[ir.Value, ir.Value]:
        """Return the constants of a weight: values, and scales of size 1 along `axis`, over which an output sums."""
        values, scales = quantize_symmetric(array_of(weight), axis)
        return self._constants(f"{weight.name}_int8_{axis % values.ndim}", values, scales)

    def _constants(self, name: str, values: NDArray[np.int8], scales: NDArray[np.float32]) -> tuple[ir.Value, ir.Value]:
        return self._editor.constant(name, values), self._editor.constant(f"{name}_scale", scales)


class _Switcher(_Quantizer):
    """Keeps both forms of what it rewrites, and lets an input of the graph choose."""

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
        dequantized = self._editor.emit("Mul", [unscaled, scales])
        node.replace_input_with(node.inputs.index(weight), self._between(weight, dequantized, weight))

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
