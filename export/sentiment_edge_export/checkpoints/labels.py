"""The names of the classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint

_UNNAMED = re.compile(r"label_\d+", re.IGNORECASE)


class Labels(NamedTuple):
    """The labels by class index, and what there is to say about them."""

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_labels(
    checkpoint: Checkpoint, given: tuple[str, ...] | None, classes: int, default: tuple[str, ...] | None = None
) -> Labels:
    """Find the labels: those given, the config's `id2label`, or `default`.

    Raises:
        CheckpointError: there is not one distinct label for each class.
    """
    if given is not None:
        return Labels(_checked(given, classes, "--labels names"))
    stated = _stated(checkpoint)
    if stated is None or all(map(_UNNAMED.fullmatch, stated)):
        if default is not None and len(default) == classes:
            return Labels(default)
        stated = stated or tuple(f"LABEL_{index}" for index in range(classes))
        unnamed = ", ".join(stated)
        note = f"the checkpoint does not name its classes ({unnamed}); name them in this order: --labels negative,positive"
        return Labels(_checked(stated, classes, f"{checkpoint.folder}: id2label in config.json has"), (note,))
    return Labels(_checked(stated, classes, f"{checkpoint.folder}: id2label in config.json has"))


def _stated(checkpoint: Checkpoint) -> tuple[str, ...] | None:
    id2label = checkpoint.config.get("id2label")
    if id2label is None:
        return None
    try:
        return tuple(str(id2label[str(index)]) for index in range(len(id2label)))
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{checkpoint.folder}: id2label in config.json must map 0, 1, ... to labels") from error


def _checked(labels: tuple[str, ...], classes: int, whose: str) -> tuple[str, ...]:
    different = {label for label in labels if label.strip()}
    if len(labels) != classes or len(different) != classes:
        raise CheckpointError(f"{whose} {len(different)} different labels for {classes} classes")
    return labels
