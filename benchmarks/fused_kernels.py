"""Fusions that the export leaves alone: ONNX Runtime's fused CPU kernels against the nodes that they replace.

python benchmarks/fused_kernels.py
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnxruntime
from measuring import describe_machine, interleaved_medians, print_table, seconds
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRIB = "com.microsoft"
REPEATED = 8
"""Nodes in a row, so that starting a run costs little."""


class Step(NamedTuple):
    """One node; `x` is what goes through, other names are constants or `skip`."""

    kind: str
    inputs: tuple[str, ...]
    domain: str = ""


CASES = {
    "Add, then LayerNormalization": (Step("Add", ("x", "skip")), Step("LayerNormalization", ("x", "gain", "bias"))),
    "SkipLayerNormalization": (Step("SkipLayerNormalization", ("x", "skip", "gain", "bias"), CONTRIB),),
    "Add, then Gelu": (Step("Add", ("x", "bias")), Step("Gelu", ("x",))),
    "BiasGelu": (Step("BiasGelu", ("x", "bias"), CONTRIB),),
}


def main() -> None:
    """Time each pair at some sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    print(describe_machine("onnxruntime", "numpy"), f"{arguments.threads} threads", sep=", ")
    for tokens, width in ((16, 768), (128, 768), (1024, 768), (128, 3072), (1024, 3072)):
        runs = {name: seconds(_runner(steps, tokens, width, arguments.threads)) for name, steps in CASES.items()}
        medians = interleaved_medians(runs, arguments.rounds)
        rows = [(name, 1e6 * value / REPEATED) for name, value in medians.items()]
        for pair in (rows[:2], rows[2:]):
            print_table(f"{tokens} tokens of {width}", pair, "us")


def _runner(steps: tuple[Step, ...], tokens: int, width: int, threads: int) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        _model(steps, width).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    inputs = {"skip": np.random.default_rng(0).standard_normal((1, tokens, width)).astype(np.float32)}
    return lambda: session.run(None, inputs)


def _model(steps: tuple[Step, ...], width: int) -> ModelProto:
    nodes: list[NodeProto] = []
    current = "skip"
    for step in steps * REPEATED:
        inputs = [current if name == "x" else name for name in step.inputs]
        current = f"x{len(nodes)}"
        nodes.append(helper.make_node(step.kind, inputs, [current], domain=step.domain))
    constants = [
        numpy_helper.from_array(np.full(width, value, np.float32), name) for name, value in (("gain", 1), ("bias", 0.01))
    ]
    shape: list[str | int | None] = ["batch", "length", width]
    skip = helper.make_tensor_value_info("skip", TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        nodes, "kernels", [skip], [helper.make_tensor_value_info(current, TensorProto.FLOAT, shape)], constants
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(CONTRIB, 1)], ir_version=9)


if __name__ == "__main__":
    main()
