"""Other ways to run a trained encoder on a CPU: each peer as a function that makes its files and returns what opens them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torch_encoder import Classifier, load_torch, read_config
from transformers.utils import logging as transformers_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Run = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]
    """From ids and mask, both [batch, length], to logits [batch, classes]."""
    Opener = Callable[["Original"], Run]

INPUTS = ("input_ids", "attention_mask")
_EXAMPLE = (2, 16)
"""Batch and length to trace with."""
_AXES = {0: "batch", 1: "length"}

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class PeerUnavailable(Exception):
    """The peer cannot run this model."""


@dataclass(frozen=True)
class Original:
    """The model that every peer runs, and what the peers need to make their own of it."""

    checkpoint: Path
    threads: int
    calibration: Sequence[NDArray[np.int64]]
    """Ids, [1, length] each, for what is quantized by example."""
    scratch: Path
    """Where the peers' files go."""

    @cached_property
    def model(self) -> Classifier:
        """The model in torch, loaded when first asked for."""
        return load_torch(self.checkpoint)

    @property
    def config(self) -> dict[str, Any]:
        """The contents of config.json."""
        return read_config(self.checkpoint)

    def folder(self, name: str) -> Path:
        """Return a fresh folder for a peer's files."""
        folder = self.scratch / name
        folder.mkdir(parents=True)
        return folder


def build_peers(original: Original, names: Sequence[str]) -> dict[str, Run]:
    """Make what each peer needs, one after the other, then open all; leave out, in so many words, what cannot be."""
    openers = {}
    for name in names:
        try:
            openers[name] = IN_TORCH.get(name) or in_own_process(_make, name, original)
        except ModuleNotFoundError as error:
            print(f"{name}: left out, {error.name} is not installed")
        except PeerUnavailable as error:
            print(f"{name}: left out, {error}")
    return {name: opener(original) for name, opener in openers.items()}


def in_own_process(
    function: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs
) -> _Result:
    """Call a function in a process of its own, whose end gives all memory back: exporters hold several times the model's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def _make(name: str, original: Original) -> Opener:
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with _quiet():
        return _MADE[name](original)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tools' remarks on their progress out of the table."""
    logging.disable(logging.ERROR)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def _open_torch(original: Original) -> Run:
    return partial(_run_torch, original.model)


def _open_torch_autocast(original: Original) -> Run:
    """Run the fp32 model under autocast to bf16, which casts all weights anew in every call that keeps no gradients."""

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        with torch.autocast("cpu", torch.bfloat16):
            return _run_torch(original.model, ids, mask)

    return run


def _open_torch_bf16(original: Original) -> Run:
    """Cast the weights once."""
    return partial(_run_torch, deepcopy(original.model).bfloat16())


def _run_torch(model: nn.Module, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    with torch.inference_mode():
        logits: NDArray[np.float32] = model(torch.from_numpy(ids), torch.from_numpy(mask)).float().numpy()
    return logits


def _exporters(name: str, original: Original, quantizer: object = None) -> Opener:
    """Export by transformers itself, with its fusions for ONNX Runtime on a CPU."""
    exporters = import_module("transformers.exporters")
    config = exporters.OnnxConfig(dynamic=True, ort_fusions="cpu", quantizer=quantizer)
    exported = exporters.OnnxExporter().export(original.model, dict(zip(INPUTS, _example(), strict=True)), config)
    folder = original.folder(name)
    exported.save_pretrained(folder)
    return partial(_open_session, folder / "model.onnx")


def _exporters_int8(original: Original) -> Opener:
    exporters = import_module("transformers.exporters")
    # Its graph has operators that shape inference does not know; unless told, the quantizer stops at what follows them.
    options = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    recipe = exporters.OnnxRuntimeDynamicConfig(extra_options=options)
    return _exporters("exporters-int8", original, exporters.OnnxRuntimeQuantizer(recipe))


def _onnxruntime_int8(original: Original) -> Opener:
    """Run ONNX Runtime's optimizer for transformers, then its dynamic quantization, on a plain trace."""
    quantization = import_module("onnxruntime.quantization")
    folder = original.folder("onnxruntime-int8")
    traced, fused, quantized = (folder / f"{name}.onnx" for name in ("traced", "fused", "quantized"))
    _trace(original.model, traced)
    _fuse(traced, fused, original.config)
    quantization.quantize_dynamic(
        fused,
        quantized,
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
        use_external_data_format=True,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    return partial(_open_session, quantized)


def _trace(model: Classifier, path: Path) -> None:
    """Trace with attention as plain products: as torch's one operator it comes out with a check for NaN around each softmax."""
    model.encoder.set_attn_implementation("eager")
    names: dict[str, Any] = {"input_names": INPUTS, "output_names": ["logits"], "dynamic_shapes": (_AXES, _AXES)}
    program = torch.onnx.export(model, _example(), **names, dynamo=True, verbose=False)
    assert program is not None
    program.save(path, external_data=True)


def _fuse(source: Path, target: Path, config: dict[str, Any]) -> None:
    is_electra = config["model_type"] == "electra"
    heads, width = ("num_attention_heads", "hidden_size") if is_electra else ("n_heads", "dim")
    optimizer = import_module("onnxruntime.transformers.optimizer")
    optimized = optimizer.optimize_model(str(source), "bert", num_heads=config[heads], hidden_size=config[width])
    del optimized.model.graph.value_info[:]  # quantize_dynamic transposes weights and would trip over their shapes here
    optimized.save_model_to_file(str(target), use_external_data_format=True)


def _example() -> tuple[Tensor, Tensor]:
    ids = torch.ones(_EXAMPLE, dtype=torch.int64)
    return ids, ids.clone()


def _open_session(path: Path, original: Original) -> Run:
    """Open a session as most people do: nothing set but the number of threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = original.threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        return cast("NDArray[np.float32]", session.run(None, dict(zip(INPUTS, (ids, mask), strict=True)))[0])

    return run


def _openvino_int8(original: Original) -> Opener:
    return partial(_open_openvino, build_openvino_int8(original))


def build_openvino_int8(original: Original) -> Path:
    """Convert to OpenVINO, quantize by NNCF with the calibration ids."""
    openvino, nncf = import_module("openvino"), import_module("nncf")
    inputs = [(openvino.PartialShape([-1, -1]), openvino.Type.i64)] * len(INPUTS)
    example = dict(zip(INPUTS, _example(), strict=True))
    converted = openvino.convert_model(original.model, example_input=example, input=inputs)
    texts = [dict(enumerate((ids, np.ones_like(ids)))) for ids in original.calibration]
    quantized = nncf.quantize(converted, nncf.Dataset(texts), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(texts))
    path = original.folder("openvino-int8") / "model.xml"
    openvino.save_model(quantized, path, compress_to_fp16=False)
    return path


def _open_openvino(path: Path, original: Original) -> Run:
    openvino = import_module("openvino")
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}  # else the rest runs in bf16 where it can
    properties = {"INFERENCE_NUM_THREADS": original.threads, "NUM_STREAMS": 1, **hints}
    request = openvino.Core().compile_model(path, "CPU", properties).create_infer_request()

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        return cast("NDArray[np.float32]", request.infer({0: ids, 1: mask}, share_inputs=True)[0])

    return run


def _ctranslate2_int8(original: Original) -> Opener:
    """Convert to CTranslate2, whose encoder leaves the classifier's two products to its user, here to numpy."""
    converters = import_module("ctranslate2.converters")
    if original.config["model_type"] != "distilbert":
        raise PeerUnavailable(f"CTranslate2 does not know {original.config['model_type']}")
    folder = original.folder("ctranslate2-int8") / "model"
    converters.TransformersConverter(str(original.checkpoint)).convert(str(folder), quantization="int8")
    return partial(_open_ctranslate2, folder)


def _open_ctranslate2(folder: Path, original: Original) -> Run:
    library = import_module("ctranslate2")
    encoder = library.Encoder(str(folder), "cpu", compute_type="int8", inter_threads=1, intra_threads=original.threads)
    layers = original.model.encoder.pre_classifier, original.model.encoder.classifier
    first, last = ([tensor.detach().numpy() for tensor in layer.parameters()] for layer in layers)

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        tokens, lengths = (library.StorageView.from_array(part.astype(np.int32)) for part in (ids, mask.sum(axis=1)))
        encoded = np.asarray(encoder.forward_batch(tokens, lengths).last_hidden_state)[:, 0]
        hidden = np.maximum(encoded @ first[0].T + first[1], 0)
        return cast("NDArray[np.float32]", hidden @ last[0].T + last[1])

    return run


IN_TORCH: dict[str, Opener] = {
    "torch-fp32": _open_torch,
    "torch-bf16-autocast": _open_torch_autocast,
    "torch-bf16": _open_torch_bf16,
}
_MADE: dict[str, Callable[[Original], Opener]] = {
    "exporters-fp32": partial(_exporters, "exporters-fp32"),
    "exporters-int8": _exporters_int8,
    "onnxruntime-int8": _onnxruntime_int8,
    "openvino-int8": _openvino_int8,
    "ctranslate2-int8": _ctranslate2_int8,
}
PEERS = (*IN_TORCH, *_MADE)
