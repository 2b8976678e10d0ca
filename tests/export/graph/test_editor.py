"""Editing a graph."""

from __future__ import annotations

import onnx_ir as ir

from sentiment_edge_export.graph.editor import GraphEditor


def test_passes_that_put_nodes_before_the_same_node_give_them_names_of_their_own() -> None:
    value = ir.val("x", ir.DataType.FLOAT, [2])
    node = ir.node("Relu", [value])
    node.outputs[0].name = "y"
    graph = ir.Graph([value], node.outputs, nodes=[node], opset_imports={"": 21})
    for _ in range(3):
        editor = GraphEditor(graph)
        editor.before(node)
        editor.emit("Neg", [value])
    names = [each.outputs[0].name for each in graph]
    assert len({*names}) == len(names) == 4
