"""Saving a graph as an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx_ir as ir

if TYPE_CHECKING:
    from pathlib import Path

_LARGE_WEIGHTS = 32 * 2**20
"""The total bytes from which weights are saved in a file of their own."""
_LARGE_TENSOR = 2**12


def write_model(path: Path, model: ir.Model) -> None:
    """Save a graph; large weights go into a file beside it, which an engine can map instead of holding them twice."""
    model = model.clone()
    for node in model.graph:
        for value in node.outputs:
            if not value.is_graph_output():
                value.shape = value.type = None  # they describe the tracing, and later passes may have left them wrong
    path.parent.mkdir()
    weights = sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value is not None)
    beside = f"{path.name}_data" if weights >= _LARGE_WEIGHTS else None
    ir.save(model, path, external_data=beside, size_threshold_bytes=_LARGE_TENSOR)
