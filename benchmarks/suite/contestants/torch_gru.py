"""The attention GRU in torch, with packed sequences, which gives correct answers in a batch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from suite.contestants.tokens import Tokens, padded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from suite.contestants.contestant import Bulk

BUILT_WITH = ("torch",)
MAX_LENGTH = 128
SIZES = (1, 32, 128, 512)
"""Texts in a batch."""


def build(checkpoint: str, folder: Path) -> None:
    """Take the tensors out of the checkpoint."""
    from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint  # noqa: PLC0415
    from sentiment_edge_export.families.gru_attention import load_classifier  # noqa: PLC0415
    from sentiment_edge_export.options import ExportOptions  # noqa: PLC0415

    found, options = find_checkpoint(checkpoint), ExportOptions()
    reference = load_classifier(found, options).make_form(options.graph.fusion).module.model
    assert isinstance(reference, nn.Module)
    torch.save(reference.state_dict(), folder / "weights.pt")
    found.tokenizer.library.save(str(folder / "tokenizer.json"))


def open_model(folder: Path, threads: int) -> TorchGru:
    """Load the tensors."""
    torch.set_num_threads(threads)
    return TorchGru(folder)


class _Attention(nn.Module):
    def __init__(self, states: int, width: int) -> None:
        super().__init__()
        self.Wa, self.Ua, self.Va = nn.Linear(states, width), nn.Linear(states, width), nn.Linear(width, 1)


class _Network(nn.Module):
    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        hidden = weights["gru.weight_hh_l0"].shape[1]
        self.embedding = nn.Embedding(*weights["embedding.weight"].shape)
        self.gru = nn.GRU(weights["embedding.weight"].shape[1], hidden, batch_first=True, bidirectional=True)
        self.attention = _Attention(2 * hidden, len(weights["attention.Wa.weight"]))
        self.fc1 = nn.Linear(2 * hidden, len(weights["fc1.weight"]))
        self.fc2 = nn.Linear(len(weights["fc1.weight"]), len(weights["fc2.weight"]))
        self.load_state_dict(weights)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        packed_states, last = self.gru(packed)
        states, _ = pad_packed_sequence(packed_states, batch_first=True, total_length=ids.shape[1])
        query = torch.cat((last[-2], last[-1]), dim=1)
        scores = self.attention.Va(torch.tanh(self.attention.Wa(states) + self.attention.Ua(query)[:, None])).squeeze(2)
        scores = scores.masked_fill(torch.arange(ids.shape[1]) >= lengths[:, None], -torch.inf)
        context = (scores.softmax(dim=1)[:, None] @ states).squeeze(1)
        logits: Tensor = self.fc2(torch.relu(self.fc1(context)))
        return logits


class TorchGru:
    """The network and its tokenizer."""

    def __init__(self, folder: Path) -> None:
        self._network = _Network(torch.load(folder / "weights.pt", weights_only=True)).eval()
        self._tokens = Tokens(folder, MAX_LENGTH)

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Run one batch."""
        with torch.inference_mode():
            logits: NDArray[np.float32] = self._network(torch.from_numpy(ids), torch.from_numpy(mask.sum(axis=1))).numpy()
        return logits

    def ways(self) -> Mapping[str, Bulk]:
        """Label texts sorted by length, in batches of several sizes."""
        return {f"batches of {size}": partial(self._label, size) for size in SIZES}

    def _label(self, size: int, texts: Sequence[str]) -> list[int]:
        ids = self._tokens.many(texts)
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        labels = [0] * len(ids)
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            for row, label in zip(rows, self.logits(*padded([ids[row] for row in rows])).argmax(axis=1).tolist(), strict=True):
                labels[row] = label
        return labels
