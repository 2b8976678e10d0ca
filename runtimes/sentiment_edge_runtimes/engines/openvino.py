"""OpenVINO as an engine, set up to be embedded: bfloat16 only if asked for, no pinned threads, compiled models cached."""

from __future__ import annotations

import os
import weakref
from collections import Counter
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_edge_runtimes.engines.engine import INPUTS, Outputs, check_mask, checked_outputs, translated
from sentiment_edge_runtimes.engines.forks import UNFORKED
from sentiment_edge_runtimes.engines.sessions import Sessions
from sentiment_edge_runtimes.engines.telemetry import unreported
from sentiment_edge_runtimes.errors import EngineError
from sentiment_edge_runtimes.machine.cache import recall, remember
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.pages import give_back
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE

with unreported():  # as the import itself reports
    import openvino
    from openvino.frontend import FrontEndManager

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle, Manifest

# Two threads that made a process's first tensors at once would wait for each other for good, in OpenVINO's own code.
openvino.Tensor(np.zeros(1, np.int64), shared_memory=True).data.sum()

_DEVICE = "CPU"
_LIVING = Counter[Path]()
"""The sessions of each file of weights."""
_STEP, _SHORT = 4, 64
"""Tokens: texts up to the second are padded to multiples of the first."""
_MILLISECONDS = 20
"""Between two times that pages are given back: a large model's first run takes half a second."""


class OpenVinoSession:
    """One compiled model of the bundle's IR, with an inference request for each thread that calls it at once."""

    def __init__(self, bundle: Bundle, threads: int, streams: int) -> None:
        path = bundle.model_path("openvino")
        with translated(f"{path}: OpenVINO cannot load it"):
            known = FrontEndManager().load_by_framework("ir").supported(os.fspath(path))
        if not known:  # asked beforehand: OpenVINO would try each format that it reads, and log each failure
            raise EngineError(f"{path}: not in a format that OpenVINO {openvino.__version__} knows; pip install -U openvino")
        self._weights = path.with_suffix(".bin")
        _LIVING[self._weights] += 1
        weakref.finalize(self, _LIVING.subtract, [self._weights]).atexit = False
        self._model = _compile(bundle, path, threads, streams)
        with translated(f"{path}: OpenVINO cannot load it"):
            self._inputs = [node.any_name for node in self._model.inputs]
            outputs = {node.any_name: node.partial_shape for node in self._model.outputs}
        self._outputs = list(outputs)
        self._classes = len(bundle.manifest.labels)
        right = "logits" in outputs and outputs["logits"].compatible(openvino.PartialShape([-1, self._classes]))
        if not {*self._inputs} <= {*INPUTS} or not right:
            raise EngineError(f"{path}: not a classifier of {self._classes} labels; export the bundle again")
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        self._prepared = False
        self._give_back()  # all of it was read if the model was compiled

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """Run one batch; see `Session`."""
        check_mask(attention_mask)
        tensors = dict(zip(INPUTS, (input_ids, attention_mask), strict=True))
        with UNFORKED, translated("OpenVINO failed to run the model"):
            request = self._request()
            results = self._run(request, {name: tensors[name] for name in self._inputs})
        self._idle.put(request)
        return checked_outputs({name: results[name] for name in self._outputs}, len(input_ids), self._classes)

    def _run(self, request: openvino.InferRequest, tensors: dict[str, NDArray[np.int64]]) -> Any:  # noqa: ANN401 - untyped
        """Run one request; meanwhile, the first time, give back the file's pages.

        OpenVINO keeps the file mapped, and in the first run copies its matrices into the order that its kernels read: both
        in memory would be twice the model.
        """
        if self._prepared:
            return request.infer(tensors, share_inputs=True)
        request.start_async(tensors, share_inputs=True)
        try:
            while not request.wait_for(_MILLISECONDS):
                self._give_back()
        finally:
            request.wait()  # raises what went wrong; an interrupt waits too, for the run reads the tensors
        self._give_back()
        self._prepared = True
        return request.results

    def _give_back(self) -> None:
        """Give back the file's pages, unless another session has it mapped too, which may end at any moment."""
        if _LIVING[self._weights] == 1:
            give_back(self._weights)

    def _request(self) -> openvino.InferRequest:
        with suppress(Empty):
            return self._idle.get_nowait()
        return self._model.create_infer_request()


def answer_settings(manifest: Manifest) -> dict[str, str]:
    """Return the properties that change answers."""
    return {
        "INFERENCE_PRECISION_HINT": manifest.inference_precision,  # the default is bfloat16 where the CPU has it
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",  # the default rounds activations to int8 where only weights are
    }


def open_engine(bundle: Bundle, threads: int) -> Sessions:
    """Return the engine for the bundle's IR."""

    def open_session(threads_each: int, streams: int) -> OpenVinoSession:
        return OpenVinoSession(bundle, threads_each * streams, streams)

    return Sessions(bundle, "openvino", threads, _lengths(bundle), open_session)


def _lengths(bundle: Bundle) -> Sequence[int] | None:
    """Return the lengths to pad to: few, for OpenVINO prepares itself anew for each, but more short ones than the bundle names.

    Twice as many of them spare many short texts a twentieth of their time, and cost a program's first texts about as much.
    """
    grid = bundle.manifest.grid
    if grid is None or len(grid) == 1:
        return grid
    return sorted({*grid, *range(_STEP, min(_SHORT, grid[-1]) + 1, _STEP)})


def _check_products(bundle: Bundle, path: Path) -> None:
    """Refuse a model of int8 products on a CPU where they would be wrong.

    Raises:
        EngineError: they saturate here.
    """
    if "openvino" not in bundle.manifest.static_engines:
        return
    from sentiment_edge_runtimes.engines.saturation import products_saturate  # noqa: PLC0415 - loads the other engine

    if products_saturate():
        raise EngineError(
            f"{path}: this CPU's int8 products saturate (x86 without VNNI), which OpenVINO cannot avoid; use {DEFAULT_ENGINE}"
        )


def _compile(bundle: Bundle, path: Path, threads: int, streams: int) -> openvino.CompiledModel:
    """Compile the model, or import the one that an earlier process compiled and cached.

    The cache holds no weights: those come from the bundle, whose checksums have been compared. What it holds was compiled on
    such a CPU, whose products were checked before.
    """
    core = openvino.Core()
    properties = _properties(bundle, threads, streams)
    key = (openvino.__version__, bundle.fingerprint, cpu_features(), *sorted(properties.items()))
    weights = path.with_suffix(".bin")
    compiled = recall("openvino", *key)
    if compiled is None or not cpu_features().features:  # where the key does not name the CPU, another may have compiled it
        _check_products(bundle, path)
    if compiled is not None:
        with suppress(RuntimeError):  # another build of OpenVINO may refuse it: compile anew
            return core.import_model(compiled, _DEVICE, {**properties, "WEIGHTS_PATH": os.fspath(weights)})
    with translated(f"{path}: OpenVINO cannot load it"):
        model = core.compile_model(os.fspath(path), _DEVICE, properties)
    with suppress(RuntimeError, MemoryError):
        remember(bytes(model.export_model().getvalue()), "openvino", *key)
    return model


def _properties(bundle: Bundle, threads: int, streams: int) -> dict[str, Any]:
    return {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        **answer_settings(bundle.manifest),
        "ENABLE_CPU_PINNING": False,  # the process may have other work for its CPUs
        "CACHE_MODE": "OPTIMIZE_SIZE",
    }
