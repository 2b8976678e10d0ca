"""What an engine wants of an export: which form of the graph, which int8, which files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentiment_edge_export.targets import onnxruntime, openvino

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import onnx_ir as ir

    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.quantization import Scheme
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.bundle import EngineName, Precision


@dataclass(frozen=True)
class Target:
    """One engine, as the export sees it."""

    engine: EngineName
    fuses_attention: bool
    """Whether attention is one node of its graph."""
    check: Callable[[], None]
    """Raises ExportError where it cannot be exported for here."""
    adapt: Callable[[ir.Model], None]
    """Changes a traced graph, in place, such that the engine computes it right."""
    scheme: Callable[[TorchClassifier, ExportOptions], Scheme]
    """How activations are quantized in int8."""
    write: Callable[[Path, ir.Model, Precision], str]
    """Writes a graph into a bundle's folder and returns the name of the model's file."""
    built_with: tuple[str, ...]
    """Distributions whose versions matter."""


TARGETS: dict[EngineName, Target] = {
    "onnxruntime": Target(
        "onnxruntime",
        fuses_attention=True,
        check=onnxruntime.check,
        adapt=onnxruntime.adapt,
        scheme=onnxruntime.scheme,
        write=onnxruntime.write,
        built_with=("onnxruntime",),
    ),
    "openvino": Target(
        "openvino",
        fuses_attention=False,
        check=openvino.check,
        adapt=openvino.adapt,
        scheme=openvino.scheme,
        write=openvino.write,
        built_with=("openvino",),
    ),
}
