"""ONNX Runtime: the graph as it is traced, dynamic int8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_export.graph.save import write_model

if TYPE_CHECKING:
    from pathlib import Path

    import onnx_ir as ir

    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.vocabulary import EngineName, Precision, Scheme

ENGINE: EngineName = "onnxruntime"
FUSES_ATTENTION = True
_FILES: dict[Precision, str] = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}


def check() -> None:
    """Do nothing: it comes with the package."""


def adapt(model: ir.Model) -> None:
    """Do nothing: the graph is traced for it."""


def scheme(_: TorchClassifier, options: ExportOptions) -> Scheme:
    """Return the one that the user chose."""
    return options.quantization


def write(folder: Path, graph: ir.Model, precision: Precision) -> str:
    """Write ONNX."""
    write_model(folder / _FILES[precision], graph)
    return _FILES[precision]
