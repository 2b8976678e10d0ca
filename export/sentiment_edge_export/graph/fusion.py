"""Fusing the nodes around an attention node into it: the reshapes to heads and back, and the biases of Q, K and V.

`LayerNormalization` and `Gelu` come from the tracer as one node each. They are not fused with the addition before them
(`SkipLayerNormalization`, `BiasGelu`), because that is slower on CPUs: `benchmarks/fused_kernels.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from onnx_ir.passes.common import RemoveUnusedNodesPass

from sentiment_edge_export.graph.attention import NODE
from sentiment_edge_export.graph.editor import GraphEditor, added_bias, constant_of
from sentiment_edge_export.graph.long_attention import expand_long_attentions

if TYPE_CHECKING:
    import onnx_ir as ir
    from numpy.typing import NDArray

_BIAS_INPUT = 3


class _Projection(NamedTuple):
    product: ir.Value
    bias: NDArray[np.float32]


def fuse(model: ir.Model) -> None:
    """Fuse the nodes around each attention node into it, in place."""
    _drop_reshapes_to_the_same(model.graph)
    RemoveUnusedNodesPass()(model)
    expand_long_attentions(model)
    editor = GraphEditor(model.graph)
    for node in list(model.graph):
        if node.op_type == NODE:
            editor.before(node)
            _absorb_biases(node, editor)
    RemoveUnusedNodesPass()(model)


def _drop_reshapes_to_the_same(graph: ir.Graph) -> None:
    """Make readers of `Reshape(Reshape(x))` read x where it has the same shape."""
    for node in list(graph):
        if node.op_type != "Reshape":
            continue
        (output,) = node.outputs
        source = node.inputs[0]
        while source is not None and (producer := source.producer()) is not None and producer.op_type == "Reshape":
            source = producer.inputs[0]
        if source is not None and source.shape is not None and source.shape == output.shape and not output.is_graph_output():
            output.replace_all_uses_with(source)


def _absorb_biases(attention: ir.Node, editor: GraphEditor) -> None:
    """Make the node add the biases of Q, K and V, which it does while it rearranges them."""
    projections = [_projection(value) for value in attention.inputs[:3]]
    if attention.inputs[_BIAS_INPUT] is not None or not all(projections):
        return
    found = cast("list[_Projection]", projections)
    bias = editor.constant(f"{attention.outputs[0].name}_bias", np.concatenate([bias for _, bias in found]))
    for position, (product, _) in enumerate(found):
        attention.replace_input_with(position, product)
    attention.replace_input_with(_BIAS_INPUT, bias)


def _projection(value: ir.Value | None) -> _Projection | None:
    """Return product and bias of a value that is their sum and is read by one attention only."""
    addition = None if value is None else value.producer()
    if value is None or addition is None or addition.op_type != "Add" or len(value.uses()) != 1:
        return None
    product = next((part for part in addition.inputs if part is not None and part.producer() is not None), None)
    added = None if product is None else added_bias(product)
    if product is None or added is None:
        return None
    return _Projection(product, cast("NDArray[np.float32]", constant_of(added.bias)))
