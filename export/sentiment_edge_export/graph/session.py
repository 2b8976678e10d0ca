"""Running a graph before it is in a bundle."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import onnx_ir as ir
import onnxruntime

from sentiment_edge_export.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def trial_session(model: ir.Model) -> Iterator[onnxruntime.InferenceSession]:
    """Yield a session that runs the graph from a temporary file.

    Raises:
        OutputError: the file cannot be written.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "model.onnx"
        try:
            ir.save(model, path, external_data=f"{path.name}_data")
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(
                f"{tempfile.gettempdir()}: cannot write a temporary model ({reason}); set TMPDIR to a folder with room"
            ) from error
        yield onnxruntime.InferenceSession(path, _options(), providers=["CPUExecutionProvider"], enable_fallback=False)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.disable_prepacking", "1")  # it would hold every matrix a second time
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # torch computes between the runs
    return options
