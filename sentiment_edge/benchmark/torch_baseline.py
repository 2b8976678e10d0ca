"""The original model in torch, fp32, to hold bundles against; needs the extra `export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.errors import UnknownModel
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.options import ExportOptions
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.bundle import Bundle


class TorchModel(NamedTuple):
    """A checkpoint's original definition."""

    name: str
    """Of the checkpoint."""
    version: str
    """Of torch."""
    classifier: TorchClassifier

    def prepare(self, ids: Sequence[int], threads: int) -> Callable[[], object]:
        """Return what runs one text."""
        row = torch.tensor(ids)

        def run() -> object:
            torch.set_num_threads(threads)  # takes no time where it is so already
            with torch.inference_mode():
                return self.classifier.reference(row)

        return run


def load_torch_model(bundles: Sequence[Bundle], checkpoint: Path | None) -> TorchModel:
    """Load the checkpoint that the bundles were made of: by the name in their manifests, or from a folder.

    Raises:
        InputError: the bundles are of several checkpoints, or theirs cannot be found.
        SentimentEdgeError: the checkpoint cannot be loaded.
    """
    sources = {bundle.manifest.source.id: None for bundle in bundles}
    if len(sources) > 1:
        raise InputError(f"--against torch takes bundles of one model; these are of {', '.join(map(str, sources))}")
    (source,) = sources
    bundle = bundles[0]
    if source is None and checkpoint is None:
        raise InputError(f"{bundle.root}: its manifest names no checkpoint; give its folder by --checkpoint")
    try:
        found = find_checkpoint(source or str(checkpoint), folder=checkpoint)
    except UnknownModel:
        raise InputError(f"{bundle.root}: made of {source}, which is not here; give its folder by --checkpoint") from None
    classifier = load_classifier(found, ExportOptions(padding=bundle.manifest.padding, labels=bundle.manifest.labels))
    if classifier.family != bundle.manifest.family:
        raise InputError(
            f"{found.folder}: a {classifier.family} model; {bundle.root} is made of a {bundle.manifest.family} model"
        )
    return TorchModel(found.name, torch.__version__, classifier)
