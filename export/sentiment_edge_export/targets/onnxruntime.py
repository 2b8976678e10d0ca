"""ONNX Runtime: the graph as traced, int8 with the scales of activations found while it runs, or fixed if asked for."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from sentiment_edge_export.graph.save import write_model
from sentiment_edge_runtimes.vocabulary import QUANTIZATIONS

if TYPE_CHECKING:
    from pathlib import Path

    import onnx_ir as ir

    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.vocabulary import EngineName, Precision, Scheme

ENGINE: EngineName = "onnxruntime"
FUSES_ATTENTION = True
INTEGER_PRODUCTS = True
OPTIONS: tuple[str, ...] = ("quantization",)
_FILES: dict[Precision, str] = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}


def check(_: ExportOptions) -> None:
    """Accept any export: ONNX Runtime is always installed."""


def adapt(model: ir.Model) -> None:
    """Leave the graph as it is: it is traced for ONNX Runtime."""


def scheme(_: TorchClassifier, options: ExportOptions) -> Scheme:
    """Return the scheme that the user chose, `per-token` by default."""
    return options.int8.quantization or QUANTIZATIONS[0]


def write(folder: Path, graph: ir.Model, precision: Precision) -> str:
    """Write an ONNX file."""
    write_model(folder / _FILES[precision], graph)
    return _FILES[precision]


def describe(folder: Path, file: str) -> dict[str, Any]:
    """Return the entry that transformers.js reads, https://huggingface.co/docs/transformers.js/custom_usage."""
    entry: dict[str, Any] = {"dtype": "q8"} if file == _FILES["int8"] else {}
    if (folder / f"{file}_data").exists():
        entry["use_external_data_format"] = {PurePosixPath(file).name: 1}
    return {"transformers.js_config": entry}
