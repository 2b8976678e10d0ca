"""Tracing a torch module to an ONNX graph, its batch and length symbolic or fixed."""

from __future__ import annotations

import logging
import warnings
from ast import literal_eval
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass

from sentiment_edge_export.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnx_ir as ir

    from sentiment_edge_export.options import GraphOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier, TracedForm

INPUTS = ("input_ids", "attention_mask")
OPSET = 21
"""The first opset with `QuantizeLinear` in blocks."""
_SCOPES = "pkg.torch.onnx.name_scopes"
"""A node's metadata: the modules that it was traced in, outermost first, and its own name, as a Python list."""
_EXAMPLE = {"batch": 2, "length": 8}
"""Sizes to trace symbolic axes with; the tracer would take 0 and 1 for constants."""
_LOGGERS = ("torch.onnx", "onnxscript", "onnx_ir")
_DEPENDENT = ("data-dependent expression", "inferred ranges from model tracing", "Constraints violated")
"""Parts of torch's messages on sizes that it would have to know beforehand."""


def trace(classifier: TorchClassifier, form: TracedForm, options: GraphOptions) -> ir.Model:
    """Trace one form of the classifier; inner values keep their shapes for the passes that follow.

    Raises:
        ExportError: torch cannot trace it.
    """
    fixed = {"batch": options.fixed_batch, "length": options.fixed_length}
    sizes = [fixed[axis] or min(size, classifier.max_length) for axis, size in _EXAMPLE.items()]
    example = torch.ones(sizes, dtype=torch.int64)
    axes = {position: axis for position, axis in enumerate(_EXAMPLE) if fixed[axis] is None}
    with _quiet_exporter():
        try:
            program = torch.onnx.export(
                form.module,
                (example, example.clone()),
                input_names=INPUTS,
                output_names=classifier.outputs,
                dynamic_shapes=(axes, axes),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            reason = _explain(str(error.__cause__ or error))
            raise ExportError(f"torch.onnx.export cannot trace a {classifier.family} model ({reason})") from error
    if program is None:
        raise ExportError("torch.onnx.export returned no graph; report this with the versions in use")
    model = program.model
    _name_matrices(model.graph)
    _strip(model)
    model.graph.name = "classifier"
    return model


def _explain(problem: str) -> str:
    """Return the reason of a failure in words, where they are known, else its first line."""
    if any(part in problem for part in _DEPENDENT):
        return "its steps depend on the words or the number of tokens of a text, which a graph cannot express"
    return next(iter(problem.splitlines()), "") or "no reason is given"


def _name_matrices(graph: ir.Graph) -> None:
    """Name each matrix that the tracer transposed, and so only numbered, after the module that multiplies with it."""
    for node in graph:
        weight = node.inputs[1] if node.op_type == "MatMul" else None
        if weight is None or not weight.is_initializer() or not str(weight.name).startswith("val_"):
            continue
        modules = [scope for scope in literal_eval(node.metadata_props.get(_SCOPES, "[]")) if scope]
        name = f"{modules[-2]}.weight" if len(modules) > 1 else str(weight.name)
        if name not in graph.initializers:
            weight.name = name


def _strip(model: ir.Model) -> None:
    """Remove metadata of the tracing: source lines, paths of this machine."""
    ClearMetadataAndDocStringPass()(model)
    graph = model.graph
    for value in (*graph.inputs, *graph.initializers.values(), *(value for node in graph for value in node.outputs)):
        value.metadata_props.clear()
        value.doc_string = None


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silence the log and the warnings of the exporter and of its optimizer, which remark on their own passes."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
