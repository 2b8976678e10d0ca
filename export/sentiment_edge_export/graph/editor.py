"""Editing an ONNX graph: functions that its passes share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx_ir as ir

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

CONTRIB = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""


class GraphEditor:
    """Inserts new nodes before a chosen one, or in its place."""

    def __init__(self, graph: ir.Graph) -> None:
        self._graph = graph
        self._anchor: ir.Node | None = None
        self._emitted = 0
        self._names = {value.name for node in graph for value in node.outputs}
        """Of all values: an earlier pass may have put nodes before the same node."""

    def before(self, node: ir.Node) -> None:
        """Insert the nodes that follow before this one, and name them after its output."""
        self._anchor = node
        self._emitted = 0

    def emit(
        self, op_type: str, inputs: Sequence[ir.Value | None], domain: str = "", **attributes: float | Sequence[int]
    ) -> ir.Value:
        """Add a node with one output and return the output."""
        (output,) = self._add(ir.node(op_type, inputs, attributes, domain=domain))
        return output

    def emit_several(self, op_type: str, inputs: Sequence[ir.Value | None], outputs: int) -> Sequence[ir.Value]:
        """Add a node with several outputs and return them."""
        return self._add(ir.node(op_type, inputs, num_outputs=outputs))

    def _add(self, node: ir.Node) -> Sequence[ir.Value]:
        if self._anchor is None:
            raise ValueError("choose the place with before() first")
        for output in node.outputs:
            output.name = self._new_name(node.op_type)
        self._graph.insert_before(self._anchor, node)
        return node.outputs

    def _new_name(self, op_type: str) -> str:
        while True:
            self._emitted += 1
            name = f"{self._anchor.outputs[0].name if self._anchor else ''}_{self._emitted}_{op_type}"
            if name not in self._names:
                self._names.add(name)
                return name

    def constant(self, name: str, value: NDArray[np.generic]) -> ir.Value:
        """Return the constant with this name, made at its first use."""
        if name not in self._graph.initializers:
            array = np.asarray(value)
            self._graph.register_initializer(
                ir.val(name, ir.DataType.from_numpy(array.dtype), array.shape, const_value=ir.tensor(array, name=name))
            )
        return self._graph.initializers[name]

    def replace(self, node: ir.Node, value: ir.Value) -> None:
        """Give `value` the uses, the name and the shape of the node's only output, and remove the node."""
        (output,) = node.outputs
        name, output.name = output.name, f"{output.name}_replaced"
        value.shape, value.type = output.shape, output.type
        output.replace_all_uses_with(value, replace_graph_outputs=True)
        if not value.is_initializer():
            value.name = name
        self._graph.remove(node, safe=True)

    def detour(self, node: ir.Node, make: Callable[[ir.Value], ir.Value]) -> None:
        """Make every reader of the node's only output read what `make` emits from it; the graph must be sorted afterwards."""
        (output,) = node.outputs
        uses, shown = list(output.uses()), output.is_graph_output()
        name, output.name = output.name, f"{output.name}_before"
        made = make(output)
        made.name, made.shape, made.type = name, output.shape, output.type
        for use in uses:
            use.node.replace_input_with(use.idx, made)
        if shown:
            self._graph.outputs[self._graph.outputs.index(output)] = made


def constant_of(value: ir.Value | None) -> NDArray[np.generic] | None:
    """Return the array of an initializer; None for any other value."""
    if value is None or value.const_value is None or not value.is_initializer():
        return None
    array: NDArray[np.generic] = value.const_value.numpy()
    return array


class AddedBias(NamedTuple):
    """The addition of a constant vector."""

    node: ir.Node
    bias: ir.Value


def added_bias(product: ir.Value) -> AddedBias | None:
    """Return the constant vector that is added to a value, if the value has no other use."""
    consumers = product.consumers()
    if len(consumers) != 1 or consumers[0].op_type != "Add":
        return None
    bias = next((value for value in consumers[0].inputs if value is not product), None)
    vector = constant_of(bias)
    return AddedBias(consumers[0], bias) if bias is not None and vector is not None and vector.ndim == 1 else None


def count_nodes(model: ir.Model) -> Counter[str]:
    """Return how many nodes of each type the graph has."""
    return Counter(node.op_type for node in model.graph)
