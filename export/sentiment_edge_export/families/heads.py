"""The head of a model of transformers, by the names of its weights: whether there is one, and for which task."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    MODEL_FOR_QUESTION_ANSWERING_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
)

from sentiment_edge_export.checkpoints.weights import strip_prefix
from sentiment_edge_export.errors import CheckpointError, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from torch import Tensor
    from transformers import PretrainedConfig, PreTrainedModel

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint

_TASKS: dict[str, Any] = {
    "a classifier of texts": MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    "a classifier of tokens": MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    "a finder of answers": MODEL_FOR_QUESTION_ANSWERING_MAPPING,
}
"""Classes of transformers by what they are; the first is what an export takes."""
_OF_TOKENS = re.compile(r"[BIES]-.+")
"""Labels of tokens, such as B-PER."""
_WRAPPERS = ("model", "module", "net")
"""Names that programs give to the model of transformers in their own."""
_CROSS_ENCODER = ("sentence_transformers", "sbert_ce_default_activation_function")
"""Entries that sentence-transformers' CrossEncoder adds to config.json."""
_OLD = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def unwrap(tensors: dict[str, Tensor], base: str) -> dict[str, Tensor]:
    """Return the tensors without the names of the program around the model, such as `model.bert.` where `base` is bert."""
    parts = "|".join(_WRAPPERS)
    wrapped = re.compile(rf"(?:(?:{parts})\.)+?({re.escape(base)}\..+)")
    found = next((match[1] for match in map(wrapped.fullmatch, tensors) if match), None)
    return tensors if found is None or found in tensors else strip_prefix(tensors, _WRAPPERS, found)


def reads_pairs(stated: Mapping[str, Any]) -> bool:
    """Return whether a config is of a model for pairs of texts, such as a CrossEncoder."""
    labels = stated.get("id2label")
    names = {str(label).lower() for label in labels.values()} if isinstance(labels, dict) else set()
    return "entailment" in names or any(entry in stated for entry in _CROSS_ENCODER)


def check_has_head(folder: Path, base: str, needed: Collection[str], missing: Collection[str]) -> None:
    """Check that a classifier's weights have more than the model below its head.

    Args:
        folder: the checkpoint's folder.
        base: the first part of the names below the head.
        needed: the names of all weights that the classifier needs.
        missing: those that the checkpoint lacks.

    Raises:
        CheckpointError: the whole head is missing.
    """
    head = sorted(name for name in needed if not name.startswith(f"{base}."))
    if 0 < len(head) < len(needed) and {*head} <= {*missing}:
        raise CheckpointError(
            f"{folder}: these weights have no classifier (no {shown(head[-1])}): a pretrained base model; fine-tune it first"
        )


def check_by_weights(checkpoint: Checkpoint, config: PretrainedConfig, weights: Collection[str]) -> None:
    """Check that the weights are of a sequence classifier, where config.json names no architecture.

    Raises:
        CheckpointError: they are of another task, or could be.
    """
    names = {_modern(name) for name in weights}
    used = {task: _used(mapping.get(type(config), None), config, names) for task, mapping in _TASKS.items()}
    ours, *others = used
    most = max(used.values())
    of_tokens = any(_OF_TOKENS.fullmatch(str(label)) for label in (config.id2label or {}).values())
    found = others[0] if of_tokens and used[others[0]] else next((task for task in others if used[task] == most > 0), None)
    if found is None:
        return  # loading names what is missing
    named = "config.json names no architectures"
    if used[ours] == most and not of_tokens:
        raise CheckpointError(
            f"{checkpoint.folder}: {named}, and the weights could be of {ours} or {found}; "
            f'if they are of {ours}, add "architectures": ["{_TASKS[ours][type(config)].__name__}"]'
        )
    raise CheckpointError(f"{checkpoint.folder}: {named}, and the weights are of {found}, not of {ours}")


def _used(kind: type[PreTrainedModel] | None, config: PretrainedConfig, names: Collection[str]) -> int:
    """Return the number of the weights that a class of transformers uses; 0 if it needs others."""
    if kind is None:
        return 0
    with torch.device("meta"):  # allocates no tensors
        needed = {*kind(config).state_dict()}
    return len(needed) if needed <= {*names} else 0


def _modern(name: str) -> str:
    return next((name.removesuffix(old) + new for old, new in _OLD.items() if name.endswith(old)), name)
