"""transformers.exporters with its fusions and its dynamic int8, in ONNX Runtime without torch."""

from __future__ import annotations

import shutil
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

import onnxruntime

from suite.contestants.tokens import Tokens, label_each, our_batches, padded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from suite.contestants.contestant import Bulk

BUILT_WITH = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")
_FLOAT = 1
"""ONNX's number for float32."""


def build(checkpoint: str, folder: Path) -> None:
    """Export by transformers itself."""
    models = import_module("suite.contestants.torch_models")
    exporters = import_module("transformers.exporters")
    # Its graph has operators that shape inference does not know; unless told, the quantizer stops at what follows them.
    recipe = exporters.OnnxRuntimeDynamicConfig(extra_options={"DefaultTensorType": _FLOAT})
    config = exporters.OnnxConfig(dynamic=True, ort_fusions="cpu", quantizer=exporters.OnnxRuntimeQuantizer(recipe))
    model = models.OnlyLogits(models.load_model(Path(checkpoint)))
    exporters.OnnxExporter().export(model, models.example(), config).save_pretrained(folder)
    shutil.copy(f"{checkpoint}/tokenizer.json", folder)


def open_model(folder: Path, threads: int) -> OnnxRuntimeModel:
    """Open a session as most people do: nothing set but the number of threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    return OnnxRuntimeModel(session, Tokens(folder))


class OnnxRuntimeModel:
    """A session and a tokenizer."""

    def __init__(self, session: onnxruntime.InferenceSession, tokens: Tokens) -> None:
        self._session = session
        self._tokens = tokens

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Run the session."""
        return cast("NDArray[np.float32]", self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0])

    def ways(self) -> Mapping[str, Bulk]:
        """Loop as the documentation does, or over this project's batches."""
        return {"one at a time": partial(label_each, self._tokens, self.logits), "our batches": self._batched}

    def _batched(self, texts: Sequence[str]) -> list[int]:
        labels = [0] * len(texts)
        ids = self._tokens.many(texts)
        for rows in our_batches(ids):
            best = self.logits(*padded([ids[row] for row in rows])).argmax(axis=1)
            for row, label in zip(rows, best.tolist(), strict=True):
                labels[row] = label
        return labels
