"""Attention as one node of the graph; that of a transformers model is reached through transformers' attention interface.

The node is ONNX Runtime's `MultiHeadAttention`
(https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MultiHeadAttention) with a mask of
zeros and ones for each key, in any pattern.
"""

from __future__ import annotations

import copy
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import torch
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface, bidirectional_mask_function

if TYPE_CHECKING:
    from torch import Tensor, nn

NODE = "MultiHeadAttention"
_NAME = "sentiment_edge"
_routed: ContextVar[list[nn.Module] | None] = ContextVar("routed", default=None)
"""The attention modules whose calls came here, while a trial collects them."""


class _NotOneNode(Exception):
    """An attention that computes more than softmax(QK + mask)V."""


def fused_twin(model: nn.Module, example: Tensor) -> nn.Module | None:
    """Return a copy that shares the tensors and has each attention as one node; None if that is not possible.

    Args:
        model: a module of ids and mask that contains a model of transformers.
        example: int64 ids [batch, length] for a trial run.
    """
    twin = shared_copy(model)
    backbone = next(part for part in twin.modules() if isinstance(part, PreTrainedModel))
    if not backbone._can_set_attn_implementation():  # noqa: SLF001 - the public setter only logs that it did nothing
        return None
    backbone.set_attn_implementation(_NAME)
    routed: list[nn.Module] = []
    trial = _routed.set(routed)
    try:
        with torch.no_grad():
            twin(example, torch.ones_like(example))
    except _NotOneNode:
        return None
    finally:
        _routed.reset(trial)
    return twin if routed else None


def shared_copy(model: nn.Module) -> nn.Module:
    """Return a copy with the same tensors but its own state: some models change their state when they run."""
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, shared)


def _attend(  # noqa: PLR0913, PLR0917 - the signature is transformers'
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,  # noqa: ANN401
) -> tuple[Tensor, None]:
    """Attend over query, key and value, all [batch, heads, length, width]; return [batch, length, heads, width]."""
    del dropout  # for training only
    unusual = any(value is not None and value is not False for value in others.values()) or getattr(module, "is_causal", False)
    if unusual or attention_mask is None or attention_mask.dtype != torch.int32 or query.shape[1] != key.shape[1]:
        raise _NotOneNode
    if (routed := _routed.get()) is not None:
        routed.append(module)
    batch, heads, length, width = query.shape
    query, key, value = (tensor.transpose(1, 2).reshape(batch, length, heads * width) for tensor in (query, key, value))
    output = attention_node(query, key, value, attention_mask, heads, width**-0.5 if scaling is None else float(scaling))
    return output.reshape(batch, length, heads, width), None


def attention_node(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, heads: int, scale: float) -> Tensor:
    """Return attention over query, key and value, all [batch, length, heads x width], which becomes one node when traced.

    The mask is int32 [batch, length of the keys], 0 in padding.
    """
    return torch.onnx.ops.symbolic(
        f"com.microsoft::{NODE}",
        (query, key, value, None, mask),
        {
            "num_heads": heads,
            "scale": scale,
            "mask_filter_value": torch.finfo(torch.float32).min,  # the default, -10000, does not mask out large scores
        },
        dtype=query.dtype,
        shape=query.shape,
        version=1,
    )


def _mask(
    attention_mask: Tensor | None = None,
    mask_function: object = None,
    **_: Any,  # noqa: ANN401
) -> Tensor:
    """Return the mask that the node takes, int32 [batch, length]."""
    if attention_mask is None or mask_function is not bidirectional_mask_function:
        raise _NotOneNode
    return attention_mask.to(torch.int32)


AttentionInterface.register(_NAME, _attend)
AttentionMaskInterface.register(_NAME, _mask)
