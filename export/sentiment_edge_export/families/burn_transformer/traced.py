"""The Burn transformer for tracing: each attention as one node if a kernel computes it, else in few nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from sentiment_edge_export.graph.attention import attention_node, shared_copy

if TYPE_CHECKING:
    from sentiment_edge_export.families.burn_transformer.modules import BurnTransformer, MultiHeadAttention
    from sentiment_edge_export.vocabulary import QuietSoftmax

_ALIGNMENT = 8


class TracedBurnTransformer(nn.Module):
    """Maps ids and mask, both int64 [batch, length], to logits [batch, classes]."""

    def __init__(self, model: BurnTransformer, *, one_node: bool) -> None:
        super().__init__()
        self.model = cast("BurnTransformer", shared_copy(model))
        attentions = [cast("MultiHeadAttention", layer.mha) for layer in self.model.transformer.layers]
        self.kind = _OneNode if one_node else _InParts
        # Half of a sum is the sum of halves, to the last bit.
        self.half_tokens = nn.Buffer(self.model.embedding_token.weight / 2)
        self.half_positions = nn.Buffer(self.model.embedding_pos.weight / 2)
        for layer, attention in zip(self.model.transformer.layers, attentions, strict=True):
            layer.mha = self.kind(attention)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits; padding tokens are masked by their id too."""
        is_padding = (attention_mask == 0) | (input_ids == self.model.pad_id)
        embedded = nn.functional.embedding(input_ids, self.half_tokens) + self.half_positions[: input_ids.shape[1]]
        return self.model.classify(embedded, self.kind.mask(is_padding))


def is_one_node(quiet_softmax: QuietSoftmax) -> bool:
    """Return whether one node can compute attention with this softmax."""
    return quiet_softmax != "legacy"


class _OneNode(nn.Module):
    """Attention with the ordinary softmax; `softmax1` is the same with one more key and value, both of zeros.

    A key of zeros has score 0, which adds exp(0 - m) to the sum of the softmax; a value of zeros adds nothing to the result.
    """

    def __init__(self, attention: MultiHeadAttention) -> None:
        super().__init__()
        self.attention = attention

    @staticmethod
    def mask(is_padding: Tensor) -> Tensor:
        """Return the node's mask, int32 [batch, length], of bool [batch, length]."""
        return (~is_padding).to(torch.int32)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Attend over states [batch, length, width]."""
        query, key, value = self.attention.project(states)
        if self.attention.quiet_softmax == "softmax1":
            # One key of zeros and seven masked ones: the length stays a multiple of 8, so that sums keep their order.
            key, value = (nn.functional.pad(part, (0, 0, 0, _ALIGNMENT)) for part in (key, value))
            mask = nn.functional.pad(nn.functional.pad(mask, (0, 1), value=1), (0, _ALIGNMENT - 1))
        heads = self.attention.n_heads
        scale = (query.shape[-1] // heads) ** -0.5
        attended: Tensor = self.attention.output(attention_node(query, key, value, mask, heads, scale))
        return attended


class _InParts(nn.Module):
    """Attention with any softmax, computed as an ordinary one that is scaled by row; query, key and value are one product.

    With p the ordinary weights, e = exp(score - m) and S = sum(e), max(p) is 1 / S. So e / (S + 1) = p / (1 + max(p)), and
    e / (S + exp(-m)) = p / (1 + max(p) exp(-m)). The scale is applied to the result, which is smaller than the weights.
    """

    def __init__(self, attention: MultiHeadAttention) -> None:
        super().__init__()
        self.quiet_softmax = attention.quiet_softmax
        self.n_heads = attention.n_heads
        self.output = attention.output
        parts = (attention.query, attention.key, attention.value)
        self.together = nn.Linear(parts[0].in_features, 3 * parts[0].out_features)
        self.together.weight = nn.Parameter(torch.cat([part.weight for part in parts]))
        self.together.bias = nn.Parameter(torch.cat([part.bias for part in parts]))

    @staticmethod
    def mask(is_padding: Tensor) -> Tensor:
        """Return the mask to add to the scores, float32 [batch, 1, 1, length], of bool [batch, length]."""
        return torch.where(is_padding, torch.finfo(torch.float32).min, 0.0)[:, None, None]

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Attend over states [batch, length, width]."""
        batch, length, width = states.shape
        by_head = self.together(states).reshape(batch, length, 3 * self.n_heads, width // self.n_heads)
        query, key, value = (part.transpose(1, 2) for part in by_head.tensor_split(3, dim=2))
        scores = query @ key.transpose(2, 3) * (width // self.n_heads) ** -0.5 + mask
        weights = scores.softmax(dim=-1)
        attended = weights @ value
        if self.quiet_softmax != "off":
            more = weights.amax(dim=-1, keepdim=True)
            if self.quiet_softmax == "softmax1":
                more = more * torch.exp(-scores.amax(dim=-1, keepdim=True))
            attended = attended / (1 + more)
        merged: Tensor = self.output(attended.transpose(1, 2).reshape(batch, length, width))
        return merged
