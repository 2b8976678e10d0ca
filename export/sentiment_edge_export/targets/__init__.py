"""What an engine wants of an export: which form of the graph, which int8, which files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sentiment_edge_export.targets import onnxruntime, openvino

if TYPE_CHECKING:
    from pathlib import Path

    import onnx_ir as ir

    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.vocabulary import EngineName, Precision, Scheme


class Target(Protocol):
    """One engine, as the export sees it: a module of this folder."""

    ENGINE: EngineName
    FUSES_ATTENTION: bool
    """Whether attention is one node of its graph."""

    def check(self) -> None:
        """Raise ExportError where it cannot be exported for here."""

    def adapt(self, model: ir.Model, /) -> None:
        """Change a traced graph, in place, such that the engine computes it right."""

    def scheme(self, classifier: TorchClassifier, options: ExportOptions, /) -> Scheme:
        """Return how activations are quantized in int8."""

    def write(self, folder: Path, graph: ir.Model, precision: Precision, /) -> str:
        """Write a graph into a bundle's folder and return the name of the model's file."""


TARGETS: dict[EngineName, Target] = {"onnxruntime": onnxruntime, "openvino": openvino}
