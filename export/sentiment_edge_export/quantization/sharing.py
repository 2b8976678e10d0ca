"""Activation statistics that the graphs of several engines share: one model, traced once for each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sentiment_edge_export.quantization.calibration import ActivationStats, collect_activation_stats
from sentiment_edge_export.quantization.weights import array_of, is_product, products
from sentiment_edge_runtimes.progress import SILENT, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnx_ir as ir

    from sentiment_edge_export.quantization.calibration import Batches


_Key = tuple[tuple[bytes, ...], int]


class SharedStats:
    """Statistics of what is multiplied with each matrix, which is the same in every graph of a model."""

    def __init__(self) -> None:
        self._known: dict[_Key, ActivationStats] = {}

    def lacks(self, model: ir.Model) -> bool:
        """Return whether the graph has activations that nothing is known of, so that it must be run."""
        return not {*_keys(model).values()} <= {*self._known}

    def of(self, model: ir.Model, batches: Batches, progress: Progress = SILENT) -> dict[str, ActivationStats]:
        """Return the statistics of the activations of all products over tokens, by name, running the graph for unknown ones."""
        keys = _keys(model)
        unknown = [value for value in products(model) if keys[str(value.name)] not in self._known]
        collected = collect_activation_stats(model, unknown, batches, progress)
        self._known |= {keys[name]: stats for name, stats in collected.items()}
        return {name: self._known[key] for name, key in keys.items()}

    def forget(self) -> None:
        """Free the memory: no further graph needs the statistics."""
        self._known.clear()


def _keys(model: ir.Model) -> dict[str, _Key]:
    """Return a key for each activation by its name: the matrices that it is multiplied with, and its place among those alike.

    There are several alike where layers share their matrices. Names do not tell matrices: the tracer only numbers some.
    """
    seen: Counter[tuple[bytes, ...]] = Counter()
    keys: dict[str, _Key] = {}
    for value in products(model):
        matrices = tuple(sorted(_matrices(value)))
        keys[str(value.name)] = matrices, seen[matrices]
        seen[matrices] += 1
    return keys


def _matrices(value: ir.Value) -> Iterator[bytes]:
    """Yield the first and the last row of the matrices that a value is multiplied with."""
    for node in value.consumers():
        if is_product(node):
            matrix = array_of(node.inputs[1])
            yield matrix[:1].tobytes() + matrix[-1:].tobytes()
