"""Writing a graph as an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx_ir as ir

if TYPE_CHECKING:
    from pathlib import Path

_LARGE_WEIGHTS = 32 * 2**20
"""Bytes from which weights lie in a file of their own."""
_LARGE_TENSOR = 2**12


def write_model(path: Path, model: ir.Model) -> None:
    """Write a graph, a large one's weights beside it: an engine maps those from the file instead of holding them twice."""
    model = model.clone()
    for node in model.graph:
        for value in node.outputs:
            if not value.is_graph_output():
                value.shape = value.type = None  # which tell of the tracing only, and other passes may have left wrong
    path.parent.mkdir()
    weights = sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value is not None)
    beside = f"{path.name}_data" if weights >= _LARGE_WEIGHTS else None
    ir.save(model, path, external_data=beside, size_threshold_bytes=_LARGE_TENSOR)
