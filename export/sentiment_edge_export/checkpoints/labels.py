"""The labels of a checkpoint: the names of its classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint

_UNNAMED = re.compile(r"label_\d+", re.IGNORECASE)


class Labels(NamedTuple):
    """The labels in the order of the classes, and remarks on them for the user."""

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_labels(
    checkpoint: Checkpoint, given: Sequence[str] | None, classes: int, default: tuple[str, ...] | None = None
) -> Labels:
    """Return the labels: those that the user chose, the config's `id2label`, or `default`.

    Raises:
        OptionError: the user chose more or fewer labels than there are classes.
        CheckpointError: the config does not have one distinct label for each class.
    """
    if given is not None:
        if len(given) != classes:
            raise OptionError("labels", f"{len(given)} names of classes, but the model has {classes}")
        return Labels(tuple(given))
    stated = _stated(checkpoint)
    if stated is None or all(map(_UNNAMED.fullmatch, stated)):
        if default is not None and len(default) == classes:
            return Labels(default)
        stated = stated or tuple(f"LABEL_{index}" for index in range(classes))
        unnamed = ", ".join(stated)
        problem = f"the checkpoint does not name its classes ({unnamed})"
        note = f"{problem}; its card may: give the names by `labels`, in this order, a comma between them"
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
