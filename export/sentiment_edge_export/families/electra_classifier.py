"""The family `electra-classifier`: ELECTRA, pooling over the tokens, and a head of linear layers with SwishGLU.

The published checkpoints are `jbeno/electra-base-classifier-sentiment` and `jbeno/electra-large-classifier-sentiment`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn
from transformers import ElectraModel

from sentiment_edge_export.checkpoints.labels import read_labels
from sentiment_edge_export.checkpoints.weights import build_empty, check_shapes, strip_prefix
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families.transformers_encoder import (
    ENCODER_OPTIONS,
    OutputClasses,
    is_sigmoid,
    load_weights,
    make_classifier,
    read_config,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.vocabulary import Activation

FAMILY = "electra-classifier"
KNOWN_BY = "ElectraClassifier among the architectures in config.json"
OPTIONS = ENCODER_OPTIONS
_ARCHITECTURE = "ElectraClassifier"
_WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
_HEAD = "classifier.layers."
_T = TypeVar("_T")


class SwishGLU(nn.Module):
    """A projection to two halves: the first times SiLU of the second."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, 2 * width)

    def forward(self, states: Tensor) -> Tensor:
        """Return [batch, width] of states [batch, width]."""
        value, gate = self.projection(states).tensor_split(2, dim=-1)
        gated: Tensor = value * nn.functional.silu(gate)
        return gated


class ElectraHead(nn.Module):
    """The head: linear layers with one shared activation between them, named and numbered as published."""

    def __init__(
        self, input_dim: int, hidden_dim: int, num_layers: int, classes: int, activation: nn.Module, *, dropout: bool
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in (input_dim, *[hidden_dim] * (num_layers - 1)):
            layers += [nn.Linear(width, hidden_dim), activation]
            if dropout:
                layers.append(nn.Identity())  # dropout is for training only, but it counts in the names
        self.layers = nn.Sequential(*layers, nn.Linear(hidden_dim, classes))

    def forward(self, pooled: Tensor) -> Tensor:
        """Return logits [batch, classes] of [batch, input_dim]."""
        logits: Tensor = self.layers(pooled)
        return logits


class ElectraClassifier(nn.Module):
    """The classifier as its author defines it."""

    def __init__(self, electra: nn.Module, pooling: str, classifier: ElectraHead) -> None:
        super().__init__()
        self.electra = electra
        self.pooling = pooling
        self.classifier = classifier

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits [batch, classes] of int64 ids and mask, both [batch, length]."""
        states = self.electra(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: Tensor = self.classifier(_pool(states, attention_mask, self.pooling))
        return logits


def _pool(states: Tensor, attention_mask: Tensor, pooling: str) -> Tensor:
    """Return [batch, width] of states [batch, length, width], the same as of an unpadded text.

    (The original's `max` treats padding as zeros, so that its result depends on the presence of padding.)
    """
    if pooling == "cls":
        return states[:, 0]
    mask = attention_mask.unsqueeze(-1)
    if pooling == "max":
        return states.masked_fill(mask == 0, torch.finfo(states.dtype).min).amax(dim=1)
    pooled: Tensor = (states * mask).sum(dim=1) / attention_mask.sum(dim=-1, keepdim=True)
    return pooled


def recognizes(checkpoint: Checkpoint) -> bool:
    """Return whether the config names this architecture."""
    return _ARCHITECTURE in checkpoint.architectures


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the model of a checkpoint.

    Raises:
        CheckpointError: weights, config and tokenizer do not fit each other or the architecture.
    """
    config = read_config(checkpoint)
    pooling = _entry(checkpoint, "pooling", str)
    if pooling not in ("mean", "cls", "max"):
        raise CheckpointError(f"{checkpoint.folder}: config.json says pooling {pooling!r}; known are mean, cls and max")
    weights = _rename_as_published(checkpoint.weights)
    electra_weights = {name.removeprefix("electra."): tensor for name, tensor in weights.items() if name.startswith("electra.")}
    head_weights = {name: tensor for name, tensor in weights.items() if not name.startswith("electra.")}
    head = _load_head(checkpoint, config.hidden_size, head_weights)
    electra = load_weights(checkpoint, ElectraModel, config, electra_weights)
    module = ElectraClassifier(electra, pooling, head).eval()
    labels = read_labels(checkpoint, options.source.labels, _classes(head))
    activation: Activation = "sigmoid" if is_sigmoid(checkpoint, config) else "softmax"
    return make_classifier(checkpoint, config, module, FAMILY, OutputClasses(labels.names, activation, labels.notes))


def _classes(head: ElectraHead) -> int:
    last = head.layers[-1]
    return int(last.out_features)  # type: ignore[arg-type]  # a Linear, by construction


def _rename_as_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors by their published names; a training checkpoint calls the backbone `bert`."""
    stripped = strip_prefix(dict(weights), ("module", "model"), f"electra.{_WORD_EMBEDDINGS}")
    stripped = strip_prefix(stripped, ("module", "model"), f"bert.{_WORD_EMBEDDINGS}")
    renamed = {f"electra.{name[5:]}" if name.startswith("bert.") else name: tensor for name, tensor in stripped.items()}
    return {name: tensor for name, tensor in renamed.items() if not name.endswith(("position_ids", "token_type_ids"))}


def _load_head(checkpoint: Checkpoint, input_dim: int, weights: dict[str, Tensor]) -> ElectraHead:
    hidden_dim, num_layers = _entry(checkpoint, "hidden_dim", int), _entry(checkpoint, "num_layers", int)
    dropout = checkpoint.config.get("dropout_rate")
    if not isinstance(dropout, float | int) or hidden_dim < 1 or num_layers < 1:
        raise CheckpointError(f"{checkpoint.folder}: config.json needs dropout_rate, and hidden_dim and num_layers above 0")
    stride = 3 if dropout > 0 else 2
    final = f"{_HEAD}{stride * num_layers}.weight"
    if final not in weights or not weights[final].ndim:
        raise CheckpointError(
            f"{checkpoint.folder}: no {final} in the weights, where num_layers {num_layers} and dropout_rate {dropout} put it"
        )

    def make() -> ElectraHead:
        activation = _make_activation(checkpoint, hidden_dim)
        return ElectraHead(input_dim, hidden_dim, num_layers, len(weights[final]), activation, dropout=dropout > 0)

    head = build_empty(checkpoint.folder, make)
    complete = _share(checkpoint, weights, [f"{_HEAD}{stride * layer + 1}." for layer in range(num_layers)])
    expected = {f"classifier.{name}": tuple(tensor.shape) for name, tensor in head.state_dict().items()}
    check_shapes(checkpoint.folder, complete, expected)
    head.load_state_dict({name.removeprefix("classifier."): tensor for name, tensor in complete.items()}, assign=True)
    return head.eval().requires_grad_(requires_grad=False)


def _share(checkpoint: Checkpoint, weights: dict[str, Tensor], places: list[str]) -> dict[str, Tensor]:
    """Return the tensors with those of the activation under all their names.

    One activation serves all layers, but safetensors keeps a shared tensor under one name only.

    Raises:
        CheckpointError: two of the names hold different tensors.
    """
    complete = dict(weights)
    shared: dict[str, Tensor] = {}
    for place in places:
        for name in [name for name in weights if name.startswith(place)]:
            own = shared.setdefault(name.removeprefix(place), weights[name])
            if not torch.equal(own, weights[name]):
                raise CheckpointError(
                    f"{checkpoint.folder}: {name} differs from its twin; all layers must share one activation"
                )
    complete.update({place + name: tensor for place in places for name, tensor in shared.items()})
    return complete


def _make_activation(checkpoint: Checkpoint, width: int) -> nn.Module:
    name = _entry(checkpoint, "hidden_activation", str)
    if name == "SwishGLU":
        return SwishGLU(width)
    kind = getattr(nn, name, None) if name in nn.modules.activation.__all__ else None
    if isinstance(kind, type) and issubclass(kind, nn.Module):
        with suppress(TypeError):  # one that cannot be made without arguments
            return kind()
    raise CheckpointError(f"{checkpoint.folder}: hidden_activation {name!r} is neither SwishGLU nor one of torch.nn")


def _entry(checkpoint: Checkpoint, key: str, kind: type[_T]) -> _T:
    """Return an entry of config.json that must be there."""
    value: object = checkpoint.config.get(key)
    if type(value) is not kind:
        raise CheckpointError(f"{checkpoint.folder}: config.json needs {key} of type {kind.__name__}, not {value!r:.40}")
    return value
