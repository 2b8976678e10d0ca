"""OpenVINO with int8 by NNCF's defaults, calibrated on the texts that this project calibrates on."""

from __future__ import annotations

import shutil
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import openvino

from suite.contestants.tokens import GRID, Tokens, label_each, our_batches, padded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from suite.contestants.contestant import Bulk

BUILT_WITH = ("torch", "transformers", "openvino", "nncf")


def build(checkpoint: str, folder: Path) -> None:
    """Convert to OpenVINO, then quantize."""
    from sentiment_edge_export.quantization.calibration import calibration_texts  # noqa: PLC0415 - torch

    models, nncf = import_module("suite.contestants.torch_models"), import_module("nncf")
    inputs = [(openvino.PartialShape([-1, -1]), openvino.Type.i64)] * 2
    model = models.OnlyLogits(models.load_model(Path(checkpoint)))
    converted = openvino.convert_model(model, example_input=models.example(), input=inputs)
    ids = [np.array([each]) for each in Tokens(Path(checkpoint)).many(calibration_texts())]
    texts = nncf.Dataset([{0: each, 1: np.ones_like(each)} for each in ids])
    quantized = nncf.quantize(converted, texts, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(ids))
    openvino.save_model(quantized, folder / "model.xml", compress_to_fp16=False)
    shutil.copy(f"{checkpoint}/tokenizer.json", folder)


def open_model(folder: Path, threads: int) -> OpenVinoModel:
    """Compile for latency, as the documentation advises for single texts."""
    return OpenVinoModel(folder, threads)


class OpenVinoModel:
    """A model compiled for latency, and for throughput once there is much to do."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder, self._threads = folder, threads
        self._tokens = Tokens(folder)
        self._request = self._compile("LATENCY").create_infer_request()
        self._queue: Any = None

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Run one request."""
        return cast("NDArray[np.float32]", self._request.infer({0: ids, 1: mask}, share_inputs=True)[0])

    def ways(self) -> Mapping[str, Bulk]:
        """Loop as the documentation does, or keep its queue for throughput filled with this project's batches."""
        return {"one at a time": partial(label_each, self._tokens, self.logits), "our batches": self._batched}

    def _compile(self, hint: str) -> openvino.CompiledModel:
        # INFERENCE_PRECISION_HINT: else what is not int8 runs in bf16 where it can
        properties = {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": self._threads, "INFERENCE_PRECISION_HINT": "f32"}
        return openvino.Core().compile_model(self._folder / "model.xml", "CPU", properties)

    def _batched(self, texts: Sequence[str]) -> list[int]:
        if self._queue is None:
            self._queue = openvino.AsyncInferQueue(self._compile("THROUGHPUT"))
        labels = [0] * len(texts)

        def take(request: openvino.InferRequest, rows: tuple[int, ...]) -> None:
            for row, label in zip(rows, request.get_output_tensor(0).data.argmax(axis=1).tolist(), strict=True):
                labels[row] = label

        self._queue.set_callback(take)
        ids = self._tokens.many(texts)
        for rows in our_batches(ids, GRID):
            self._queue.start_async(dict(enumerate(padded([ids[row] for row in rows], GRID))), rows)
        self._queue.wait_all()
        return labels
