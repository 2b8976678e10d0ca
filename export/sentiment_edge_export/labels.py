"""The names of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoint import Checkpoint


def read_labels(checkpoint: Checkpoint, default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels by class index: the config's `id2label`, or `default`.

    Raises:
        CheckpointError: there is not one distinct label for each of the `len(default)` classes.
    """
    id2label = checkpoint.config.get("id2label")
    if id2label is None:
        return default
    try:
        labels = tuple(str(id2label[str(index)]) for index in range(len(id2label)))
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{checkpoint.folder}: id2label in config.json must map 0, 1, ... to labels") from error
    if len(labels) != len(default) or len({*labels}) != len(labels):
        raise CheckpointError(
            f"{checkpoint.folder}: id2label in config.json has {len({*labels})} different labels for {len(default)} classes"
        )
    return labels
