"""CTranslate2, whose encoder leaves the classifier's two products to its user, here to numpy."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from suite.contestants.contestant import Unavailable
from suite.contestants.tokens import Tokens, our_batches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from suite.contestants.contestant import Bulk

BUILT_WITH = ("torch", "transformers", "ctranslate2")
_HEAD = ("pre_classifier", "classifier")


def build(checkpoint: str, folder: Path) -> None:
    """Convert; keep the classifier's weights beside."""
    models, converters = import_module("suite.contestants.torch_models"), import_module("ctranslate2.converters")
    family = models.read_config(Path(checkpoint))["model_type"]
    if family != "distilbert":
        raise Unavailable(f"CTranslate2 does not know {family}")
    converters.TransformersConverter(checkpoint).convert(str(folder / "model"), quantization="int8")
    model = models.load_model(Path(checkpoint))
    parts = {f"{name}.{part}": tensor for name in _HEAD for part, tensor in getattr(model, name).named_parameters()}
    np.savez(folder / "head.npz", **{name: tensor.detach().numpy() for name, tensor in parts.items()})
    shutil.copy(f"{checkpoint}/tokenizer.json", folder)


def open_model(folder: Path, threads: int) -> CTranslate2Model:
    """Load the encoder and the head."""
    return CTranslate2Model(folder, threads)


class CTranslate2Model:
    """An encoder for one batch at a time, and one for several at once, as the documentation advises for throughput."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._library = import_module("ctranslate2")
        self._folder, self._threads = folder, threads
        self._tokens = Tokens(folder)
        self._encoder = self._open(at_once=1, each=threads)
        self._parallel: Any = None
        with np.load(folder / "head.npz") as head:
            self._head = {name: head[name] for name in head.files}

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Run one batch."""
        views = (self._library.StorageView.from_array(part.astype(np.int32)) for part in (ids, mask.sum(axis=1)))
        return self._classify(self._encoder.forward_batch(*views))

    def ways(self) -> Mapping[str, Bulk]:
        """Loop as the documentation does, or run this project's batches beside each other."""
        return {"one at a time": self._loop, "our batches": self._batched}

    def _open(self, at_once: int, each: int) -> Any:  # noqa: ANN401 - has no types
        model = str(self._folder / "model")
        return self._library.Encoder(model, "cpu", compute_type="int8", inter_threads=at_once, intra_threads=each)

    def _classify(self, output: Any) -> NDArray[np.float32]:  # noqa: ANN401 - has no types
        states = np.asarray(output.last_hidden_state)[:, 0]
        hidden = np.maximum(states @ self._head["pre_classifier.weight"].T + self._head["pre_classifier.bias"], 0)
        logits: NDArray[np.float32] = hidden @ self._head["classifier.weight"].T + self._head["classifier.bias"]
        return logits

    def _loop(self, texts: Sequence[str]) -> list[int]:
        return [int(self._classify(self._encoder.forward_batch([self._tokens.one(text)])).argmax()) for text in texts]

    def _batched(self, texts: Sequence[str]) -> list[int]:
        if self._parallel is None:
            self._parallel = self._open(at_once=self._threads, each=1)
        labels = [0] * len(texts)
        ids = self._tokens.many(texts)

        def run(rows: tuple[int, ...]) -> None:
            logits = self._classify(self._parallel.forward_batch([ids[row] for row in rows]))
            for row, label in zip(rows, logits.argmax(axis=1).tolist(), strict=True):
                labels[row] = label

        with ThreadPoolExecutor(self._threads) as pool:
            for _ in pool.map(run, our_batches(ids)):
                pass
        return labels
