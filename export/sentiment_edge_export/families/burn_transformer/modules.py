"""The Burn transformer in torch, exactly as in Burn; modules are named as in Burn's records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from sentiment_edge_export.families.burn_transformer.activations import ACTIVATIONS

if TYPE_CHECKING:
    from sentiment_edge_export.families.burn_transformer.config import BurnTransformerConfig
    from sentiment_edge_export.vocabulary import QuietSoftmax

_MASKED = -1.0e4
"""Burn's replacement for a masked score."""


class EarlyLayerNorm(nn.Module):
    """Layer normalization as before Burn 0.14, which divided by deviation + eps."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, states: Tensor) -> Tensor:
        """Normalize the last axis."""
        deviation = states.var(dim=-1, correction=0, keepdim=True).sqrt()
        return (states - states.mean(dim=-1, keepdim=True)) / (deviation + self.eps) * self.weight + self.bias


class MultiHeadAttention(nn.Module):
    """Multi-head attention, whose weights may sum to less than 1."""

    def __init__(self, config: BurnTransformerConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.quiet_softmax = config.quiet_softmax
        self.query, self.key, self.value, self.output = (nn.Linear(config.d_model, config.d_model) for _ in range(4))

    def project(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query, key and value, all [batch, length, width], of states of that shape."""
        return self.query(states), self.key(states), self.value(states)

    def forward(self, states: Tensor, is_padding: Tensor) -> Tensor:
        """Attend over states [batch, length, width]; `is_padding` is bool [batch, length]."""
        query, key, value = (self._heads(part) for part in self.project(states))
        scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        weights = quiet_softmax(scores.masked_fill(is_padding[:, None, None], _MASKED), self.quiet_softmax)
        attended: Tensor = self.output((weights @ value).transpose(1, 2).flatten(2))
        return attended

    def _heads(self, states: Tensor) -> Tensor:
        """Return [batch, heads, length, width / heads]."""
        batch, length, width = states.shape
        return states.reshape(batch, length, self.n_heads, width // self.n_heads).transpose(1, 2)


def quiet_softmax(scores: Tensor, form: QuietSoftmax) -> Tensor:
    """Return attention weights over the last axis.

    With m the largest score and e = exp(score - m), they are e / sum(e) (`off`), e / (sum(e) + 1) as up to Burn 0.19
    (`legacy`), or e / (sum(e) + exp(-m)) as since then (`softmax1`).
    """
    largest = scores.amax(dim=-1, keepdim=True)
    exponentials = torch.exp(scores - largest)
    more = {"off": torch.zeros_like(largest), "legacy": torch.ones_like(largest), "softmax1": torch.exp(-largest)}
    return exponentials / (exponentials.sum(dim=-1, keepdim=True) + more[form])


class FeedForward(nn.Module):
    """The position-wise feed-forward network."""

    def __init__(self, config: BurnTransformerConfig) -> None:
        super().__init__()
        self.linear_inner = nn.Linear(config.d_model, config.d_ff)
        self.activation = ACTIVATIONS[config.activation]
        self.linear_outer = nn.Linear(config.d_ff, config.d_model)

    def forward(self, states: Tensor) -> Tensor:
        """Return states [batch, length, width] of states of that shape."""
        transformed: Tensor = self.linear_outer(self.activation(self.linear_inner(states)))
        return transformed


class Layer(nn.Module):
    """An encoder layer. If norms come first, norm_2 precedes the attention and norm_1 the feed-forward network."""

    def __init__(self, config: BurnTransformerConfig) -> None:
        super().__init__()
        norm = EarlyLayerNorm if config.early_norm else nn.LayerNorm
        self.norm_first = config.norm_first
        self.mha = MultiHeadAttention(config)
        self.pwff = FeedForward(config)
        self.norm_1 = norm(config.d_model, config.layer_norm_eps)
        self.norm_2 = norm(config.d_model, config.layer_norm_eps)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return states [batch, length, width] of states of that shape; the mask is as the attention takes it."""
        result: Tensor
        if self.norm_first:
            states = states + self.mha(self.norm_2(states), mask)
            result = states + self.pwff(self.norm_1(states))
        else:
            states = self.norm_1(states + self.mha(states, mask))
            result = self.norm_2(states + self.pwff(states))
        return result


class TransformerEncoder(nn.Module):
    """A stack of layers without a norm after them."""

    def __init__(self, config: BurnTransformerConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.n_layers))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return states [batch, length, width] of states of that shape."""
        for layer in self.layers:
            states = layer(states, mask)
        return states


class BurnTransformer(nn.Module):
    """The classifier: the mean of token and position embedding, encoder layers, then classes from the first token."""

    def __init__(self, config: BurnTransformerConfig, pad_id: int) -> None:
        super().__init__()
        self.pad_id = pad_id
        self.transformer = TransformerEncoder(config)
        self.embedding_token = nn.Embedding(config.vocab_size, config.d_model)
        self.embedding_pos = nn.Embedding(config.positions, config.d_model)
        self.output = nn.Linear(config.d_model, config.n_classes)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return logits [batch, classes] of int64 ids [batch, length]; padding tokens are masked anywhere in a text."""
        embedded = (self.embedding_pos(torch.arange(input_ids.shape[1])) + self.embedding_token(input_ids)) / 2
        return self.classify(embedded, input_ids == self.pad_id)

    def classify(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return logits [batch, classes] of embeddings [batch, length, width]; the mask is as the attention takes it."""
        logits: Tensor = self.output(self.transformer(embedded, mask))[:, 0]
        return logits
