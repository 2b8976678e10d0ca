"""The number of tokens that a model of transformers reads, and the token that it pads with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch import nn
from transformers.models.ibert.quant_modules import QuantEmbedding

from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.limits import LONGEST

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint

_NO_LIMIT = 10**6
"""A tokenizer's model_max_length from here on means that there is no limit."""


_TABLES = (nn.Embedding, QuantEmbedding)


class Positions(NamedTuple):
    """The positions of a model."""

    usable: int
    """The number of tokens of a text that they suffice for."""
    pad_id: int


def find_positions(checkpoint: Checkpoint, config: PretrainedConfig, model: nn.Module) -> Positions:
    """Return the number of tokens that the model's positions suffice for, and the id of its padding token.

    Models like RoBERTa number positions from the padding's id + 1 on, so that 514 positions hold 512 tokens. A model without a
    table of positions, which knows only how far apart two tokens are, has no limit of its own.

    Raises:
        CheckpointError: the padding's id has no embedding.
    """
    pad_id = config.pad_token_id or 0
    if not 0 <= pad_id < config.vocab_size:
        raise CheckpointError(f"{checkpoint.folder}: config.json needs a pad_token_id in the vocabulary")
    table = _table(model)
    stated = getattr(config, "max_position_embeddings", None)  # no limit where it is -1, as XLNet's is
    usable = stated if type(stated) is int and stated > 0 else LONGEST
    if table is not None:
        usable = min(usable, len(table.weight))
        usable -= 0 if table.padding_idx is None else table.padding_idx + 1
    return Positions(min(usable, _stated_limit(checkpoint), LONGEST), pad_id)


def _table(model: nn.Module) -> nn.Embedding | QuantEmbedding | None:
    """Return the table of absolute positions: the first of the usual name, else the first that is named after positions."""
    tables = [(name.rpartition(".")[2], part) for name, part in model.named_modules() if isinstance(part, _TABLES)]
    usual = [table for name, table in tables if name.endswith("position_embeddings")]
    return next(iter(usual or [table for name, table in tables if "pos" in name]), None)


def _stated_limit(checkpoint: Checkpoint) -> int:
    """Return the tokenizer's limit, which older versions of transformers wrote as `max_len`."""
    settings = checkpoint.tokenizer.settings("tokenizer_config.json")
    limit = settings.get("model_max_length", settings.get("max_len"))
    return limit if type(limit) is int and 0 < limit < _NO_LIMIT else LONGEST
