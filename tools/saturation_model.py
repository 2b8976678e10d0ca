"""The model with which the runtime finds out whether int8 products saturate: python tools/saturation_model.py FILE."""

from __future__ import annotations

import sys
from pathlib import Path

from onnx import ModelProto, TensorProto, helper

WIDTH, COLUMNS = 64, 32


def saturation_model() -> ModelProto:
    """Return it: uint8 [rows, 64] times an int8 matrix [64, 32] of 127."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [WIDTH, COLUMNS])
    largest = helper.make_tensor("value", TensorProto.INT8, [1], [127])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["b"], value=largest),
        helper.make_node("MatMulInteger", ["a", "b"], ["y"]),
    ]
    a = helper.make_tensor_value_info("a", TensorProto.UINT8, ["rows", WIDTH])
    y = helper.make_tensor_value_info("y", TensorProto.INT32, ["rows", COLUMNS])
    graph = helper.make_graph(nodes, "saturation", [a], [y], [shape])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(saturation_model().SerializeToString(deterministic=True))
