"""The engines that can be exported for: the form of the graph, the kind of int8 and the files of each.

Each is a module of this folder with the engine's name; `sentiment_edge_runtimes.vocabulary` lists the names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from sentiment_edge_export.options import check_taken
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from pathlib import Path

    import onnx_ir as ir

    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.vocabulary import EngineName, Precision, Scheme


class Target(Protocol):
    """The interface that an engine's module offers to the export."""

    ENGINE: EngineName
    FUSES_ATTENTION: bool
    """Whether its graph has each attention as one node."""
    INTEGER_PRODUCTS: bool
    """Whether its static int8 has products of integers; else it makes these itself, of quantized and dequantized values."""
    OPTIONS: tuple[str, ...]
    """The options that it takes and some other engine does not."""

    def check(self, options: ExportOptions, /) -> None:
        """Raise ExportError if such an export cannot be made on this machine."""

    def adapt(self, model: ir.Model, /) -> None:
        """Change a traced graph, in place, so that the engine computes it correctly."""

    def scheme(self, classifier: TorchClassifier, options: ExportOptions, /) -> Scheme:
        """Return the kind of int8 for a classifier."""

    def write(self, folder: Path, graph: ir.Model, precision: Precision, /) -> str:
        """Write a graph into a bundle's folder and return the model file's name."""

    def describe(self, folder: Path, file: str, /) -> dict[str, Any]:
        """Return the entries of config.json by which other tools find and read the model file."""


def find_target(engine: EngineName) -> Target:
    """Return the target of an engine."""
    return cast("Target", import_module(f"{__name__}.{engine}"))


def find_targets(options: ExportOptions) -> list[Target]:
    """Return the targets of an export, in the order of its engines.

    Raises:
        OptionError: an option has no effect on these engines.
        ExportError: a model for one of the engines cannot be made on this machine.
    """
    check_taken(options, {engine: find_target(engine).OPTIONS for engine in ENGINES}, options.engines)
    targets = [find_target(engine) for engine in options.engines]
    for target in targets:
        target.check(options)
    return targets
