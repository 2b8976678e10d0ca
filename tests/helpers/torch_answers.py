"""A checkpoint's model in torch, and its answers, without an export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.options import ExportOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sentiment_edge_export.torch_classifier import TorchClassifier


def open_classifier(folder: Path, **options: Any) -> TorchClassifier:
    chosen = ExportOptions(**options)
    return load_classifier(find_checkpoint(str(folder), chosen.source), chosen)


def logits_of_ids(folder: Path, ids: Sequence[int]) -> NDArray[np.float32]:
    """What the original definition makes of one text's tokens, [classes]."""
    logits: NDArray[np.float32] = open_classifier(folder).reference(torch.tensor(ids)).numpy()
    return logits


def logits_of_texts(folder: Path, texts: Sequence[str], **options: Any) -> NDArray[np.float32]:
    """What the original definition makes of texts, read by the checkpoint's tokenizer, [texts, classes]."""
    chosen = ExportOptions(**options)
    checkpoint = find_checkpoint(str(folder), chosen.source)
    classifier = load_classifier(checkpoint, chosen)
    ids = [checkpoint.tokenizer.ids(text, classifier.max_length, classifier.truncation) for text in texts]
    return np.stack([classifier.reference(torch.tensor(row)).numpy() for row in ids])
