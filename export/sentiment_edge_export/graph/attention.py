"""Attention as one node of the graph; that of a transformers model is reached through transformers' attention interface.

The node is ONNX Runtime's `MultiHeadAttention`
(https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MultiHeadAttention) with a mask of
zeros and ones for each key, in any pattern. For long texts, and where tokens attend to their neighbours only, it is a node of
this project, from which `long_attention.py` makes the same with less memory.
"""

from __future__ import annotations

import copy
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

import torch
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import (
    AttentionMaskInterface,
    bidirectional_mask_function,
    sliding_window_bidirectional_mask_function,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

NODE = "MultiHeadAttention"
LONG_NODE = "LongAttention"
"""A node that stands for a `MultiHeadAttention` until the passes after tracing: of a long text, or with a window."""
LONG_DOMAIN = "sentiment_edge"
NO_WINDOW = -1
_LONG = 1024
"""The number of tokens up to which the scores of all pairs of tokens take little memory."""
_NAME = "sentiment_edge"
_LONG_NAME = "sentiment_edge_long"
_WITHOUT_EFFECT = ("position_ids", "use_cache")
"""Arguments that models hand on, and that transformers' own eager attention of an encoder takes no notice of."""
_routed: ContextVar[list[nn.Module] | None] = ContextVar("routed", default=None)
"""The attention modules whose calls came here, while a trial collects them."""


class _NotOneNode(Exception):
    """An attention that computes more than softmax(QK + mask)V."""


@dataclass(frozen=True)
class _LocalMask:
    """The mask of an attention in which a token attends to its neighbours only."""

    keys: Tensor
    """int32 [batch, length], 0 in padding."""
    window: int
    """The largest distance between a token and one that it attends to."""


def fused_twin(model: nn.Module, example: Tensor, longest: int) -> nn.Module | None:
    """Return a copy that shares the tensors and has each attention as one node; None if that is not possible.

    Args:
        model: a module of ids and mask that contains a model of transformers.
        example: int64 ids [batch, length] for a trial run.
        longest: the number of tokens that the model reads at most.
    """
    twin = shared_copy(model)
    backbone = next(part for part in twin.modules() if isinstance(part, PreTrainedModel))
    if not backbone._can_set_attn_implementation():  # noqa: SLF001 - the public setter only logs that it did nothing
        return None
    backbone.set_attn_implementation(_NAME if longest <= _LONG else _LONG_NAME)
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
    attention_mask: Tensor | _LocalMask | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    *,
    long: bool = False,
    **others: Any,  # noqa: ANN401
) -> tuple[Tensor, None]:
    """Attend over query, key and value, all [batch, heads, length, width]; return [batch, length, heads, width].

    There may be fewer heads of keys and values, each for as many neighbouring heads of queries.
    """
    del dropout  # for training only
    window = NO_WINDOW
    if isinstance(attention_mask, _LocalMask):
        window, attention_mask = attention_mask.window, attention_mask.keys
        others.pop("sliding_window", None)  # the mask has it, as for transformers' eager attention
    given = (value for name, value in others.items() if name not in _WITHOUT_EFFECT)
    unusual = any(value is not None and value is not False for value in given) or getattr(module, "is_causal", False)
    if unusual or attention_mask is None or attention_mask.dtype != torch.int32 or query.shape[1] % key.shape[1]:
        raise _NotOneNode
    if (routed := _routed.get()) is not None:
        routed.append(module)
    batch, heads, length, width = query.shape
    if key.shape[1] != heads:
        key, value = (tensor.repeat_interleave(heads // tensor.shape[1], dim=1) for tensor in (key, value))
    query, key, value = (tensor.transpose(1, 2).reshape(batch, length, heads * width) for tensor in (query, key, value))
    scale = width**-0.5 if scaling is None else float(scaling)
    if long or window != NO_WINDOW:
        output = _long_attention_node(query, key, value, attention_mask, heads, scale, window)
    else:
        output = attention_node(query, key, value, attention_mask, heads, scale)
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


def _long_attention_node(  # noqa: PLR0913, PLR0917 - as `attention_node`, and a window
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor, heads: int, scale: float, window: int
) -> Tensor:
    return torch.onnx.ops.symbolic(
        f"{LONG_DOMAIN}::{LONG_NODE}",
        (query, key, value, mask),
        {"num_heads": heads, "scale": scale, "window": window},
        dtype=query.dtype,
        shape=query.shape,
        version=1,
    )


def _mask(
    attention_mask: Tensor | None = None,
    mask_function: object = None,
    local_size: int | None = None,
    **_: Any,  # noqa: ANN401
) -> Tensor | _LocalMask:
    """Return the mask that `_attend` takes: int32 [batch, length], with a window where the attention is local."""
    if attention_mask is None:
        raise _NotOneNode
    keys = attention_mask.to(torch.int32)
    if mask_function is bidirectional_mask_function:
        return keys
    if local_size is None or not _same(mask_function, sliding_window_bidirectional_mask_function(local_size)):
        raise _NotOneNode
    return _LocalMask(keys, local_size)


def _same(one: object, other: object) -> bool:
    """Return whether two values, functions or tuples of them are the same: functions by their code and what they enclose."""
    if isinstance(one, FunctionType) and isinstance(other, FunctionType):
        return one.__code__ is other.__code__ and _same(_enclosed(one), _enclosed(other))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) is int and one == other


def _enclosed(function: FunctionType) -> tuple[object, ...]:
    return tuple(cell.cell_contents for cell in function.__closure__ or ())


AttentionInterface.register(_NAME, _attend)
AttentionInterface.register(_LONG_NAME, partial(_attend, long=True))
AttentionMaskInterface.register(_NAME, _mask)
AttentionMaskInterface.register(_LONG_NAME, _mask)
