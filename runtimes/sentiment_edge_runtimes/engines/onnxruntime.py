"""ONNX Runtime as an engine, set up to be embedded: no spinning between runs, little memory kept, exact int8 on every x86."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from sentiment_edge_runtimes.engines.engine import INPUTS, Outputs, check_mask, checked_outputs, translated
from sentiment_edge_runtimes.engines.forks import UNFORKED
from sentiment_edge_runtimes.engines.saturation import products_saturate
from sentiment_edge_runtimes.engines.sessions import Sessions
from sentiment_edge_runtimes.errors import EngineError
from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle, Manifest

_SLOWER = "SkipLayerNormFusion;BiasGeluFusion"
"""Fusions whose CPU kernels take longer than the two nodes that they replace (benchmarks/fused_kernels.py)."""

_SPINNING = {
    "session.intra_op.allow_spinning": "1",
    "session.intra_op.spin_duration_us": "50",
    "session.force_spinning_stop": "1",
    "session.inter_op.allow_spinning": "0",
}
"""Threads spin between the nodes of a run, for to sleep would cost a short text a fifth of its time, and sleep after it."""


_EXACT = {"session.x64quantprecision": "1"}
"""On x86 without VNNI, exact products of 8 bits, at half the speed; of no effect elsewhere."""


def answer_settings(manifest: Manifest) -> dict[str, str]:
    """Return the settings that change answers."""
    return _EXACT if manifest.precision == "int8" else {}


class OnnxRuntimeSession:
    """One session over the bundle's ONNX file."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        path = bundle.model_path("onnxruntime")
        with translated(f"{path}: ONNX Runtime cannot load it"):
            options = session_options(bundle, threads)
            if far := _far_weights(bundle):  # which must be kept until the session is made
                options.add_external_initializers_from_files_in_memory([*far], [*far.values()], [*map(len, far.values())])
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"], enable_fallback=False
            )
        self._inputs = [node.name for node in self._session.get_inputs()]
        outputs = {node.name: node.shape for node in self._session.get_outputs()}
        self._outputs = list(outputs)
        self._classes = len(bundle.manifest.labels)
        if not {*self._inputs} <= {*INPUTS} or (outputs.get("logits") or [None])[-1] != self._classes:
            raise EngineError(f"{path}: not a classifier of {self._classes} labels; export the bundle again")

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """Run one batch; see `Session`."""
        check_mask(attention_mask)
        tensors = dict(zip(INPUTS, (input_ids, attention_mask), strict=True))
        with UNFORKED, translated("ONNX Runtime failed to run the model"):
            results = self._session.run(None, {name: tensors[name] for name in self._inputs})
        return checked_outputs(dict(zip(self._outputs, results, strict=True)), len(input_ids), self._classes)


def open_engine(bundle: Bundle, threads: int) -> Sessions:
    """Return the engine for the bundle's ONNX file.

    A GRU's kernel hardly gains from a second thread, so that its batches always run beside each other.
    """

    def open_session(threads_each: int, _: int) -> OnnxRuntimeSession:
        return OnnxRuntimeSession(bundle, threads_each)

    return Sessions(bundle, "onnxruntime", threads, _lengths(bundle), open_session, divisible=not _is_recurrent(bundle))


def session_options(bundle: Bundle, threads: int) -> onnxruntime.SessionOptions:
    """Return the options of a session over the bundle's file."""
    options = onnxruntime.SessionOptions()
    # More than there are CPUs gain nothing, and where one of them cannot be started the library waits for it for good.
    options.intra_op_num_threads = min(threads, usable_cpus())
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors come as exceptions; warnings are for whoever exports
    # An arena keeps the memory of the largest batch for good. Without one, layer after layer would fetch its pages anew.
    options.enable_cpu_mem_arena = not _is_recurrent(bundle)
    options.enable_mem_pattern = False  # patterns suit fixed shapes only
    for entry, value in _SPINNING.items():
        options.add_session_config_entry(entry, value)
    options.add_session_config_entry("optimization.disable_specified_optimizers", _SLOWER)
    for entry, value in _EXACT.items() if products_saturate() else ():
        options.add_session_config_entry(entry, value)
    return options


def _far_weights(bundle: Bundle) -> dict[str, np.memmap[Any, np.dtype[np.uint8]]]:
    """Return the weights that links lead to another folder than the model: ONNX Runtime does not follow such links itself."""
    model = bundle.model_path("onnxruntime")
    near = model.resolve().parent
    far = [path for path in bundle.beside("onnxruntime") if not path.resolve().is_relative_to(near)]
    return {path.relative_to(model.parent).as_posix(): np.memmap(path, dtype=np.uint8, mode="r") for path in far}


def _lengths(bundle: Bundle) -> Sequence[int] | None:
    """Return every length that the model reads: a new one costs nothing here, and padding does, but for a GRU's kernel.

    A model of one length, or one that must not be padded, stays what it is.
    """
    grid = bundle.manifest.grid
    any_length = grid is not None and len(grid) > 1 and not _is_recurrent(bundle)
    return range(1, bundle.manifest.max_length + 1) if any_length else grid


def _is_recurrent(bundle: Bundle) -> bool:
    """Tell whether the model has a GRU."""
    return "GRU" in bundle.manifest.nodes
