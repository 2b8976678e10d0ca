"""A torch module to an ONNX graph with symbolic batch and length."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from sentiment_edge_export.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import onnx

    from sentiment_edge_export.torch_classifier import TorchClassifier

INPUTS = ("input_ids", "attention_mask")
_EXAMPLE = (2, 8)
"""Batch and length to trace with: neither 0 nor 1, which the tracer would take for constants."""


def trace(classifier: TorchClassifier) -> onnx.ModelProto:
    """Trace the classifier's module.

    Raises:
        ExportError: a promised node is missing.
    """
    example = torch.ones(_EXAMPLE, dtype=torch.int64)
    axes = {0: "batch", 1: "length"}
    with _quiet_exporter():
        program = torch.onnx.export(
            classifier.traced,
            (example, example.clone()),
            input_names=INPUTS,
            output_names=classifier.outputs,
            dynamic_shapes=(axes, axes),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise ExportError("torch.onnx.export gave no program")
    model = program.model_proto
    _strip(model)
    found = count_nodes(model)
    for kind, promised in classifier.promised_nodes.items():
        if found[kind] != promised:
            raise ExportError(
                f"the graph has {found[kind]} {kind} nodes instead of {promised}; report this with the versions in use"
            )
    return model


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep the exporter's remarks on itself from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def count_nodes(model: onnx.ModelProto) -> Counter[str]:
    """Return how many nodes of each type the graph has."""
    return Counter(node.op_type for node in model.graph.node)


def _strip(model: onnx.ModelProto) -> None:
    """Remove what tells of the tracing only: source lines, paths of this machine, shapes that later passes would contradict."""
    graph = model.graph
    annotated: Iterable[onnx.GraphProto | onnx.NodeProto | onnx.ValueInfoProto | onnx.TensorProto] = (
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.initializer,
    )
    for part in annotated:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    model.ClearField("metadata_props")
    del graph.value_info[:]
    graph.name = "classifier"
