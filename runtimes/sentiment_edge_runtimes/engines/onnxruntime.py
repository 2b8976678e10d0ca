"""ONNX Runtime as an engine, set up to be embedded: no spinning between runs, little memory kept, exact int8 on every x86."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnxruntime

from sentiment_edge_runtimes.engines.engine import INPUTS, Outputs, check_mask, translated
from sentiment_edge_runtimes.engines.saturation import products_saturate
from sentiment_edge_runtimes.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle

_SLOWER = "SkipLayerNormFusion;BiasGeluFusion"
"""Fusions whose CPU kernels take longer than the two nodes that they replace (benchmarks/fused_kernels.py)."""

_SPINNING = {
    "session.intra_op.allow_spinning": "1",
    "session.intra_op.spin_duration_us": "50",
    "session.force_spinning_stop": "1",
    "session.inter_op.allow_spinning": "0",
}
"""Threads spin between the nodes of a run, for to sleep would cost a short text a fifth of its time, and sleep after it."""


class OnnxRuntimeEngine:
    """One session over the bundle's ONNX file."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        self.workers = threads if _is_recurrent(bundle) else 1
        path = bundle.model_path("onnxruntime")
        with translated(f"{path}: ONNX Runtime cannot load it"):
            options = session_options(bundle, threads)
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._inputs = [node.name for node in self._session.get_inputs()]
        outputs = {node.name: node.shape for node in self._session.get_outputs()}
        self._outputs = list(outputs)
        if not {*self._inputs} <= {*INPUTS} or outputs.get("logits", [None])[-1] != len(bundle.manifest.labels):
            raise EngineError(f"{path}: not a classifier of {len(bundle.manifest.labels)} labels; export the bundle again")

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """Run one batch; see `Engine`."""
        check_mask(attention_mask)
        tensors = dict(zip(INPUTS, (input_ids, attention_mask), strict=True))
        with translated("ONNX Runtime failed to run the model"):
            results = self._session.run(None, {name: tensors[name] for name in self._inputs})
        named = dict(zip(self._outputs, results, strict=True))
        return Outputs(named["logits"], named.get("attention"))


def open_engine(bundle: Bundle, threads: int) -> OnnxRuntimeEngine:
    """Load the bundle's ONNX file."""
    return OnnxRuntimeEngine(bundle, threads)


def session_options(bundle: Bundle, threads: int) -> onnxruntime.SessionOptions:
    """Return the options of a session over the bundle's file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1 if _is_recurrent(bundle) else threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors come as exceptions; warnings are for whoever exports
    # An arena keeps the memory of the largest batch for good. Without one, layer after layer would fetch its pages anew.
    options.enable_cpu_mem_arena = not _is_recurrent(bundle)
    options.enable_mem_pattern = False  # patterns suit fixed shapes only
    for entry, value in _SPINNING.items():
        options.add_session_config_entry(entry, value)
    options.add_session_config_entry("optimization.disable_specified_optimizers", _SLOWER)
    if products_saturate():  # exact kernels instead, at half the speed
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def _is_recurrent(bundle: Bundle) -> bool:
    """Tell whether the model has a GRU, whose kernel hardly gains from a second thread: several batches run at once instead."""
    return "GRU" in bundle.manifest.nodes
