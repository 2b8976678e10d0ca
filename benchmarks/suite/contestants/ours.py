"""Bundles of this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.vocabulary import EngineChoice
    from suite.contestants.contestant import Bulk

BUILT_WITH = ("sentiment-edge", "torch", "transformers", "onnx", "onnxscript", "openvino")


def build(checkpoint: str, folder: Path) -> None:
    """Export int8 for both engines."""
    from sentiment_edge.export import export_model  # noqa: PLC0415 - torch, for the export alone

    export_model(checkpoint, precision="int8", engines=["onnxruntime", "openvino"], output=folder, overwrite=True)


def open_model(folder: Path, threads: int, engine: EngineChoice) -> Ours:
    """Load the bundle."""
    return Ours(folder, threads, engine)


class Ours:
    """A loaded bundle."""

    def __init__(self, folder: Path, threads: int, engine: EngineChoice) -> None:
        self.classifier = load(folder, engine=engine, threads=threads)
        self._threads = threads
        self._engine: Engine | None = None

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Run one batch in the engine itself."""
        if self._engine is None:
            from sentiment_edge.runtimes import open_engine  # noqa: PLC0415 - not for texts

            self._engine = open_engine(self.classifier.bundle, self.classifier.engine, self._threads)
        return self._engine(ids, mask).logits

    def ways(self) -> Mapping[str, Bulk]:
        """Call the classifier."""
        return {"": self._label}

    def _label(self, texts: Sequence[str]) -> list[int]:
        labels = self.classifier.labels
        return [labels.index(prediction.label) for prediction in self.classifier([*texts])]
