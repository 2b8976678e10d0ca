"""A traced fp32 graph to int8, such that no text's result depends on its neighbours in the batch.

All weights are symmetric int8 with one fp32 scale per output channel; what becomes of the arithmetic depends on the operator:

* rows of an embedding are looked up in int8 and scaled after the lookup;
* a product over tokens (`MatMul` with a constant matrix) runs in int8, its activations quantized per token at run time;
* a `GRU`, which no engine runs in int8, and a product over one row a text (`Gemm`), which is too small to repay quantizing
  its activations, keep fp32 arithmetic: their weights lie as int8 in the file, dequantized once when an engine loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_CONTRIB = "com.microsoft"  # MatMulIntegerToFloat: one kernel for product, scales and zero points
_INT8_MAX = 127
_ACTIVATION_ZERO = 128
"""Activations are uint8 around this: uint8 x int8 is the pair that x86 and Arm have instructions for."""
_SMALLEST_WEIGHT = 1024
"""Elements below which a tensor stays fp32: it would not shrink the file."""


class _Quantized(NamedTuple):
    values: str
    """int8 initializer"""
    scales: str
    """fp32 initializer that broadcasts against it"""


def quantize(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the int8 model of a traced fp32 model."""
    quantized = onnx.ModelProto()
    quantized.CopyFrom(model)
    _Quantizer(quantized.graph).run()
    if all(entry.domain != _CONTRIB for entry in quantized.opset_import):
        quantized.opset_import.append(helper.make_opsetid(_CONTRIB, 1))
    return quantized


class _Quantizer:
    """Rewrites one graph, node by node in order."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._weights = {
            tensor.name: numpy_helper.to_array(tensor)
            for tensor in graph.initializer
            if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1 and np.prod(tensor.dims) >= _SMALLEST_WEIGHT
        }
        self._nodes: list[NodeProto] = []
        self._added: dict[str, TensorProto] = {}

    def run(self) -> None:
        rewrites = {"Gather": self._embedding, "MatMul": self._product, "Gemm": self._stored, "GRU": self._stored}
        for node in self._graph.node:
            rewrites.get(node.op_type, self._nodes.append)(node)
        # A weight may serve several nodes (the tracer merges equal ones): drop only what nobody reads any more.
        read = {name for node in self._nodes for name in node.input}
        kept = [tensor for tensor in (*self._graph.initializer, *self._added.values()) if tensor.name in read]
        del self._graph.node[:], self._graph.initializer[:]
        self._graph.node.extend(self._nodes)
        self._graph.initializer.extend(kept)

    def _embedding(self, node: NodeProto) -> None:
        table, indices = node.input
        if table not in self._weights:
            self._nodes.append(node)
            return
        values, scales = self._quantize(table, axis=1)
        out = node.output[0]
        self._emit("Gather", [values, indices], f"{out}_int8")
        self._emit("Gather", [scales, indices], f"{out}_scale")
        self._emit("Cast", [f"{out}_int8"], f"{out}_unscaled", to=TensorProto.FLOAT)
        self._emit("Mul", [f"{out}_unscaled", f"{out}_scale"], out)

    def _product(self, node: NodeProto) -> None:
        activations, weight = node.input
        if weight not in self._weights or self._weights[weight].ndim != 2:  # noqa: PLR2004 - a matrix
            self._nodes.append(node)
            return
        values, scales = self._quantize(weight, axis=0)
        flat = self._constant(f"{scales}_flat", numpy_helper.to_array(self._added[scales]).reshape(-1))
        zero = self._constant("quantization_activation_zero", np.array(_ACTIVATION_ZERO, np.uint8))
        one = self._constant("quantization_one", np.array(1, np.float32))
        weight_zero = self._constant("quantization_weight_zero", np.array(0, np.int8))
        out = node.output[0]
        scale = self._token_scale(activations, out)
        self._emit("Div", [activations, scale], f"{out}_scaled")
        self._emit("QuantizeLinear", [f"{out}_scaled", one, zero], f"{out}_uint8")
        operands = [f"{out}_uint8", values, one, flat, zero, weight_zero]
        self._emit("MatMulIntegerToFloat", operands, f"{out}_unscaled", domain=_CONTRIB)
        self._emit("Mul", [f"{out}_unscaled", scale], out)

    def _token_scale(self, activations: str, out: str) -> str:
        """Emit each token's scale: its largest magnitude over 127; never 0, for a padded position may be all zeros."""
        last_axis = self._constant("quantization_last_axis", np.array([-1], np.int64))
        largest = self._constant("quantization_int8_max", np.array(_INT8_MAX, np.float32))
        smallest = self._constant("quantization_smallest_scale", np.array(np.finfo(np.float32).tiny, np.float32))
        self._emit("Abs", [activations], f"{out}_magnitude")
        self._emit("ReduceMax", [f"{out}_magnitude", last_axis], f"{out}_peak", keepdims=1)
        self._emit("Div", [f"{out}_peak", largest], f"{out}_maybe_zero")
        self._emit("Max", [f"{out}_maybe_zero", smallest], f"{out}_scale")
        return f"{out}_scale"

    def _stored(self, node: NodeProto) -> None:
        """Feed the node's weights through Cast and Mul, which ONNX Runtime folds into a constant when it loads the file."""
        contracted = -1 if node.op_type == "GRU" or _attribute(node, "transB") else 0
        for position, weight in enumerate(node.input[1:3], start=1):
            if weight in self._weights:
                node.input[position] = self._dequantized(weight, contracted)
        self._nodes.append(node)

    def _dequantized(self, weight: str, axis: int) -> str:
        name = f"{weight}_dequantized"
        if all(name not in node.output for node in self._nodes):
            values, scales = self._quantize(weight, axis)
            self._emit("Cast", [values], f"{weight}_unscaled", to=TensorProto.FLOAT)
            self._emit("Mul", [f"{weight}_unscaled", scales], name)
        return name

    def _quantize(self, weight: str, axis: int) -> _Quantized:
        """Quantize a weight with one scale for everything that one output sums over, which is `axis`."""
        axis %= self._weights[weight].ndim
        names = _Quantized(f"{weight}_int8_{axis}", f"{weight}_scale_{axis}")
        if names.values not in self._added:
            values, scales = quantize_symmetric(self._weights[weight], axis)
            self._constant(names.values, values)
            self._constant(names.scales, scales)
        return names

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self._added[name] = numpy_helper.from_array(value, name)
        return name

    def _emit(self, kind: str, inputs: Iterable[str], output: str, domain: str = "", **attributes: int) -> None:
        node = helper.make_node(kind, list(inputs), [output], domain=domain)
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        self._nodes.append(node)


def quantize_symmetric(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 values and their fp32 scales, one along `axis`: weight ~ values * scales, values within -127..127."""
    scales = (np.abs(weight).max(axis=axis, keepdims=True) / _INT8_MAX).astype(np.float32)
    scales = np.where(scales >= np.finfo(np.float32).tiny, scales, np.float32(1))  # too small to divide by: all become 0
    return np.rint(weight / scales).astype(np.int8), scales


def _attribute(node: NodeProto, name: str) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), 0)
