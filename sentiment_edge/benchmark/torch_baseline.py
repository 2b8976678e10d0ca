"""The original model in torch, fp32, to compare bundles with; needs the extra `export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.errors import UnknownModel
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.options import ExportOptions, GraphOptions, SourceOptions
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import PaddingChoice


class TorchModel(NamedTuple):
    """A checkpoint's original definition."""

    name: str
    """The checkpoint's name."""
    version: str
    """The version of torch."""
    classifier: TorchClassifier

    def prepare(self, ids: Sequence[int], threads: int) -> Callable[[], object]:
        """Return a function that runs one text."""
        row = torch.tensor(ids)

        def run() -> object:
            torch.set_num_threads(threads)  # takes no time if nothing changes
            with torch.inference_mode():
                return self.classifier.reference(row)

        return run


def load_torch_model(bundles: Sequence[Bundle], checkpoint: Path | None) -> TorchModel:
    """Load the checkpoint that the bundles were made from: by the name in their manifests, or from a folder.

    Raises:
        InputError: the bundles are made from several checkpoints, or theirs cannot be found.
        SentimentEdgeError: the checkpoint cannot be loaded.
    """
    sources = {bundle.manifest.source.id: None for bundle in bundles}
    if len(sources) > 1:
        raise InputError(f"`against` torch takes bundles of one model; these are of {', '.join(map(str, sources))}")
    (name,) = sources
    bundle = bundles[0]
    if name is None and checkpoint is None:
        raise InputError(f"{bundle.root}: its manifest names no checkpoint; give its folder by `checkpoint`")
    source = SourceOptions(checkpoint=checkpoint, labels=bundle.manifest.labels)
    try:
        found = find_checkpoint(name or str(checkpoint), source)
    except UnknownModel:
        raise InputError(f"{bundle.root}: made of {name}, which is not here; give its folder by `checkpoint`") from None
    asked: PaddingChoice | None = "padded" if bundle.manifest.padding == "padded" else None  # the others need no asking
    classifier = load_classifier(found, ExportOptions(source=source, graph=GraphOptions(padding=asked)))
    if classifier.family != bundle.manifest.family:
        raise InputError(
            f"{found.folder}: a {classifier.family} model; {bundle.root} is made from a {bundle.manifest.family} model"
        )
    return TorchModel(found.name, torch.__version__, classifier)
