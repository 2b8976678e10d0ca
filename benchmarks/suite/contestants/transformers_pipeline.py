"""The pipeline of transformers: texts sorted by length, in batches of the size that is best for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoTokenizer, pipeline
from transformers.utils import logging as transformers_logging

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from suite.contestants.contestant import Bulk

BUILT_WITH: tuple[str, ...] = ()
MAX_LENGTH = 512
SIZES = (1, 8, 32)
"""Batch sizes to try."""
TRIED = 6
"""One text in so many is tried."""


def open_model(folder: Path, threads: int, dtype: str) -> Pipeline:
    """Load the checkpoint."""
    torch.set_num_threads(threads)
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return Pipeline(folder, dtype)


class Pipeline:
    """A pipeline for text classification."""

    def __init__(self, folder: Path, dtype: str) -> None:
        source: Any = str(folder)
        if "ElectraClassifier" in (folder / "config.json").read_text(encoding="utf-8"):  # unknown to transformers
            from suite.contestants.torch_models import load_model  # noqa: PLC0415

            source = load_model(folder, dtype)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        self._pipeline: Any = pipeline(
            "text-classification", model=source, tokenizer=tokenizer, dtype=getattr(torch, dtype), device="cpu"
        )
        self._best: dict[int, int] = {}
        """The best batch size by the number of characters of all texts, which tells one data set from another."""

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Run the model itself."""
        with torch.inference_mode():
            outputs = self._pipeline.model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
            logits: NDArray[np.float32] = outputs.logits.float().numpy()
        return logits

    def ways(self) -> Mapping[str, Bulk]:
        """Call the pipeline."""
        return {"": self._label}

    def _label(self, texts: Sequence[str]) -> list[int]:
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        ranked = [texts[row] for row in order]
        key = sum(map(len, texts))
        if key not in self._best:
            self._best[key] = 1 if len(texts) == 1 else min(SIZES, key=lambda size: self._seconds(ranked[::TRIED], size))
        labels = self._run(ranked, self._best[key])
        return [label for _, label in sorted(zip(order, labels, strict=True))]

    def _seconds(self, texts: Sequence[str], size: int) -> float:
        start = time.perf_counter()
        self._run(texts, size)
        return time.perf_counter() - start

    def _run(self, texts: Sequence[str], size: int) -> list[int]:
        known = self._pipeline.model.config.label2id
        answers = self._pipeline([*texts], batch_size=size, truncation=True, max_length=MAX_LENGTH)
        return [known[answer["label"]] for answer in answers]
