"""The family `gru-attention`: a bidirectional GRU with additive attention.

The published checkpoint is `ericwei/attention-sentiment-classifier`. It was trained on sentences padded to 128 positions
with nothing masked, but its card predicts on one unpadded sentence. So the same weights have two readings (`Padding`):

* `packed`: the recurrence ends with the sentence, and attention covers its tokens only, as in the card's prediction.
* `padded`: every sentence has 128 positions, and the recurrence and the attention cover all of them, as in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentiment_edge_export.checkpoints.labels import read_labels
from sentiment_edge_export.checkpoints.weights import build_model, check_sizes, strip_prefix
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.torch_classifier import TorchClassifier, TracedForm
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_runtimes.vocabulary import Padding

FAMILY = "gru-attention"
KNOWN_BY = "model_type sentiment_classifier in config.json (an attention GRU)"
OPTIONS: tuple[str, ...] = ("padding",)
MAX_LENGTH = 128
"""Word pieces per sentence, including [CLS] and [SEP], as on the card."""
_LENGTHS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, MAX_LENGTH)
_MODEL_TYPE = "sentiment_classifier"
_PREFIX_PARTS = ("model", "classifier", "sentiment_classifier", "base_model", "module")
_CARD_LABELS = ("negative", "positive")
_STATED_SIZES = ("vocab_size", "embedding_dim", "hidden_dim", "output_dim", "n_layers")
"""The sizes that config.json may state."""


@dataclass(frozen=True)
class GruAttentionConfig:
    """The sizes of a model, named as in the published config.json where it has them."""

    vocab_size: int
    embedding_dim: int
    hidden_dim: int
    attention_dim: int
    feed_forward_dim: int
    output_dim: int
    n_layers: int = 1
    pad_idx: int = 0

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, tuple[int, ...]], pad_idx: int) -> GruAttentionConfig:
        """Return the sizes that the shapes of the tensors tell.

        Raises:
            KeyError: a tensor that tells a size is missing.
            ValueError: a tensor is empty, or one that tells a size is not a matrix.
        """
        if empty := [name for name, shape in shapes.items() if 0 in shape]:
            raise ValueError(f"{empty[0]} is empty")
        vocab_size, embedding_dim = shapes["embedding.weight"]
        _, hidden_dim = shapes["gru.weight_hh_l0"]
        attention_dim, _ = shapes["attention.Wa.weight"]
        feed_forward_dim, _ = shapes["fc1.weight"]
        output_dim, _ = shapes["fc2.weight"]
        n_layers = sum(name.startswith("gru.weight_hh_l") and not name.endswith("_reverse") for name in shapes)
        return cls(vocab_size, embedding_dim, hidden_dim, attention_dim, feed_forward_dim, output_dim, n_layers, pad_idx)


class AdditiveAttention(nn.Module):
    """Bahdanau's additive attention: Va tanh(Wa states + Ua query)."""

    def __init__(self, state_dim: int, attention_dim: int) -> None:
        super().__init__()
        self.Wa = nn.Linear(state_dim, attention_dim)
        self.Ua = nn.Linear(state_dim, attention_dim)
        self.Va = nn.Linear(attention_dim, 1)

    def forward(self, states: Tensor, query: Tensor) -> Tensor:
        """Return one score for each position, [batch, length], of states [batch, length, state] and query [batch, state]."""
        energy = torch.tanh(self.Wa(states) + self.Ua(query).unsqueeze(1))
        scores: Tensor = self.Va(energy).squeeze(2)
        return scores


class GruAttention(nn.Module):
    """The classifier as its authors define it, with the published tensor names."""

    def __init__(self, config: GruAttentionConfig, dropout: float = 0.3) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_dim, padding_idx=config.pad_idx)
        self.gru = nn.GRU(config.embedding_dim, config.hidden_dim, config.n_layers, batch_first=True, bidirectional=True)
        self.attention = AdditiveAttention(2 * config.hidden_dim, config.attention_dim)
        self.fc1 = nn.Linear(2 * config.hidden_dim, config.feed_forward_dim)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(config.feed_forward_dim, config.output_dim)

    def forward(self, input_ids: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return logits [batch, classes] and attention [batch, length].

        Args:
            input_ids: int64 [batch, length].
            lengths: the number of word pieces in each row, int64 [batch] on the CPU; positions after them are packed away
                and get no attention. By default every position counts, as in training.
        """
        embedded = self.embedding(input_ids)
        if lengths is None:
            states, last = self.gru(embedded)
            scores = self.attention(states, torch.cat((last[-2], last[-1]), dim=1))
        else:
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            packed_states, last = self.gru(packed)
            states, _ = pad_packed_sequence(packed_states, batch_first=True, total_length=input_ids.shape[1])
            scores = self.attention(states, torch.cat((last[-2], last[-1]), dim=1))
            scores = scores.masked_fill(torch.arange(input_ids.shape[1]) >= lengths[:, None], -torch.inf)
        return self.classify(states, scores.softmax(dim=1))

    def classify(self, states: Tensor, attention: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the states' sum weighted by attention, and that attention."""
        context = (attention.unsqueeze(1) @ states).squeeze(1)
        return self.fc2(self.dropout(torch.relu(self.fc1(context)))), attention


class TracedGruAttention(nn.Module):
    """The classifier for tracing, a function of a right-padded batch and its mask: each GRU layer is one ONNX node."""

    def __init__(self, model: GruAttention, padding: Padding) -> None:
        super().__init__()
        self.model = model
        self.padding = padding
        for layer, weights in enumerate(_onnx_weights(model.gru)):
            for name, weight in zip("WRB", weights, strict=True):
                self.register_buffer(f"{name}{layer}", weight)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [batch, classes] and attention [batch, length] of int64 ids and mask, both [batch, length]."""
        if self.padding == "padded":
            attention_mask = torch.ones_like(input_ids)
        lengths = attention_mask.sum(dim=1).to(torch.int32)
        states = self.model.embedding(input_ids).transpose(0, 1)
        for layer in range(self.model.config.n_layers):
            states, last = self._run_layer(layer, states, lengths)
        query = torch.cat((last[0], last[1]), dim=1)
        states = states.transpose(0, 1)
        scores = self.model.attention(states, query)
        if self.padding == "packed":
            scores = scores.masked_fill(attention_mask == 0, torch.finfo(torch.float32).min)
        return self.model.classify(states, scores.softmax(dim=1))

    def _run_layer(self, layer: int, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return states [length, batch, 2 hidden] and last states [2, batch, hidden] of inputs [length, batch, width]."""
        hidden = self.model.config.hidden_dim
        length, batch = inputs.shape[:2]
        states, last = torch.onnx.ops.symbolic_multi_out(
            "GRU",
            (inputs, getattr(self, f"W{layer}"), getattr(self, f"R{layer}"), getattr(self, f"B{layer}"), lengths),
            {"hidden_size": hidden, "direction": "bidirectional", "linear_before_reset": 1},
            dtypes=(inputs.dtype, inputs.dtype),
            shapes=((length, 2, batch, hidden), (2, batch, hidden)),
            version=14,
        )
        return states.transpose(1, 2).reshape(length, batch, 2 * hidden), last


def recognizes(checkpoint: Checkpoint) -> bool:
    """Return whether the config, or if it has no model_type the tensors, are of this family."""
    if "model_type" in checkpoint.config:
        return bool(checkpoint.config["model_type"] == _MODEL_TYPE)
    return any(name.endswith("attention.Wa.weight") for name in checkpoint.weights)


def load_classifier(checkpoint: Checkpoint, options: ExportOptions) -> TorchClassifier:
    """Build the model of a checkpoint.

    Raises:
        CheckpointError: weights, config and tokenizer do not fit each other or the architecture.
    """
    weights = strip_prefix(checkpoint.weights, _PREFIX_PARTS, "embedding.weight")
    config = _read_config(checkpoint, weights)
    model = build_model(checkpoint.folder, lambda: GruAttention(config), weights)
    checkpoint.tokenizer.check(config.vocab_size, MAX_LENGTH)
    labels = read_labels(checkpoint, options.source.labels, config.output_dim, default=_CARD_LABELS)
    padding: Padding = options.graph.padding or "packed"
    return TorchClassifier(
        family=FAMILY,
        reference=_Reference(model, padding),
        make_form=lambda _: _trace_form(model, padding),
        outputs=("logits", "attention"),
        labels=labels.names,
        activation="softmax",
        max_length=MAX_LENGTH,
        pad_id=config.pad_idx,
        padding=padding,
        truncation="tokenizer",
        notes=labels.notes,
    )


def _trace_form(model: GruAttention, padding: Padding) -> TracedForm:
    return TracedForm(
        TracedGruAttention(model, padding).eval(),
        lengths=_LENGTHS if padding == "packed" else (MAX_LENGTH,),
        promised_nodes={"GRU": model.config.n_layers},
    )


@dataclass(frozen=True)
class _Reference:
    """The original definition of one text's logits."""

    model: GruAttention
    padding: Padding

    @torch.no_grad()
    def __call__(self, token_ids: Tensor) -> Tensor:
        if self.padding == "packed":
            logits, _ = self.model(token_ids[None], torch.tensor([len(token_ids)]))
        else:
            filling = (0, MAX_LENGTH - len(token_ids))
            logits, _ = self.model(nn.functional.pad(token_ids[None], filling, value=self.model.config.pad_idx))
        first: Tensor = logits[0]
        return first


def _read_config(checkpoint: Checkpoint, weights: Mapping[str, Tensor]) -> GruAttentionConfig:
    """Return the sizes of the tensors, with which config.json must agree."""
    stated = checkpoint.config
    pad_idx = stated.get("pad_idx", 0)
    try:
        config = GruAttentionConfig.from_shapes({name: tuple(tensor.shape) for name, tensor in weights.items()}, pad_idx)
    except KeyError as error:
        raise CheckpointError(
            f"{checkpoint.folder}: the weights do not fit the architecture; missing: {error.args[0]}"
        ) from error
    except ValueError as error:
        raise CheckpointError(f"{checkpoint.folder}: the weights do not fit the architecture ({first_line(error)})") from error
    check_sizes(checkpoint.folder, stated, {name: getattr(config, name) for name in _STATED_SIZES})
    if stated.get("bidirectional", True) is not True:
        raise CheckpointError(
            f"{checkpoint.folder}: config.json says bidirectional false; only bidirectional GRUs can be exported"
        )
    if type(pad_idx) is not int or not 0 <= pad_idx < config.vocab_size:
        raise CheckpointError(f"{checkpoint.folder}: config.json says pad_idx {pad_idx!r}, which has no embedding")
    return config


def _onnx_weights(gru: nn.GRU) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield each layer's W, R and B, directions stacked, in the layout of https://onnx.ai/onnx/operators/onnx__GRU.html."""
    for layer in range(gru.num_layers):
        directions = (f"l{layer}", f"l{layer}_reverse")
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        w, r, wb, rb = (
            torch.stack([_reorder_gates(getattr(gru, f"{kind}_{direction}").detach()) for direction in directions])
            for kind in kinds
        )
        yield w, r, torch.cat((wb, rb), dim=1)


def _reorder_gates(stacked: Tensor) -> Tensor:
    """Return torch's stack of gates (reset, update, new) in ONNX's order (update, reset, hidden)."""
    reset, update, new = stacked.chunk(3)
    return torch.cat((update, reset, new))
