"""The effect of padding on a model's answers, found by running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from sentiment_edge_runtimes.tokenization import PROBE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
    from sentiment_edge_export.families.positions import Positions
    from sentiment_edge_runtimes.vocabulary import Padding

_TEXTS = ("", PROBE, "It was long, and I did not like it.")
"""Short ones, of which padding makes up most."""
_MOST_PADDED = 32
_ROUNDING = 1e-4
"""The largest difference of a logit that passes for rounding, relative to the largest logit if that is above 1.

The sums of a padded text are added up in another order, which moved logits by up to 1.5e-5 of the largest in encoders of 24
layers with weights three times their usual size. Convolutions over padding moved them by 0.1 and more. A padded answer that
differs by more than this from that of the text alone would miss the gate's bound for fp32.
"""

UNPADDED_NOTE = (
    "this model's answers depend on padding, so the bundle never pads: only texts with the same number of tokens share a batch"
)


def find_padding(tokenizer: CheckpointTokenizer, module: nn.Module, positions: Positions) -> Padding:
    """Return `packed` if padding does not change the answers of a module of ids and mask, else `unpadded`."""
    for text in _TEXTS:
        ids = torch.tensor([tokenizer.ids(text, positions.usable - 1, "tokenizer")], dtype=torch.int64)
        if not ids.numel():  # of the empty text, where the tokenizer adds no special tokens
            continue
        alone = _logits(module, ids, torch.ones_like(ids))
        bound = _ROUNDING * max(1.0, float(alone.abs().max()))
        for padded, mask in _padded(ids, positions):
            same = bool((_logits(module, padded, mask) - alone).abs().max() <= bound)  # false for what is not a number
            if bool(alone.isfinite().all()) and not same:
                return "unpadded"
    return "packed"


def _padded(ids: Tensor, positions: Positions) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield a text with one token of padding, and with more, each with its mask."""
    tokens = ids.shape[1]
    for length in {tokens + 1, min(max(2 * tokens, _MOST_PADDED), positions.usable)}:
        added = torch.full((1, length - tokens), positions.pad_id)
        yield torch.cat([ids, added], dim=1), torch.cat([torch.ones_like(ids), torch.zeros_like(added)], dim=1)


@torch.no_grad()
def _logits(module: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    logits: Tensor = module(ids, mask)
    return logits
