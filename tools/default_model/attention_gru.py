"""The student that ships: the attention GRU."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sentiment_edge_export.bundle.output import write_json
from sentiment_edge_export.families.gru_attention import MAX_LENGTH, GruAttention, GruAttentionConfig
from tools.default_model.checkpoint import LABELS, write_files
from tools.default_model.student import Student

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

_EMBEDDING, _HIDDEN, _ATTENTION, _FEED_FORWARD = 128, 256, 512, 256
_EMBEDDING_DROPOUT, _DROPOUT = 0.15, 0.2


class AttentionGru(Student):
    """An attention GRU whose embeddings start from the teacher's."""

    pieces, longest, epochs, peak = 12_000, MAX_LENGTH, 2, 2.5e-3

    def __init__(self, words: Tensor) -> None:
        """Start from the embeddings of the teacher's pieces, [pieces, size]: the directions in which they differ most."""
        super().__init__()
        self.gru = GruAttention(
            GruAttentionConfig(len(words), _EMBEDDING, _HIDDEN, _ATTENTION, _FEED_FORWARD, 2), dropout=_DROPOUT
        )
        self.gru.embedding.register_forward_hook(_drop)
        centred = words - words.mean(0)
        _, _, directions = torch.linalg.svd(centred, full_matrices=False)
        reduced = nn.functional.pad(centred @ directions[:_EMBEDDING].T, (0, max(0, _EMBEDDING - len(directions))))
        with torch.no_grad():
            self.gru.embedding.weight.copy_(reduced / reduced.std() * 0.5)
            self.gru.embedding.weight[0].zero_()

    @classmethod
    def start(cls, teacher: Path, pieces: Sequence[int]) -> AttentionGru:
        """Return one before its training."""
        return cls(load_file(teacher / "model.safetensors")["bert.embeddings.word_embeddings.weight"][list(pieces)])

    def forward(self, ids: Tensor) -> Tensor:
        """Return how much more positive than negative each text is."""
        logits, _ = self.gru(ids)
        return cast("Tensor", logits[:, 1] - logits[:, 0])

    @property
    def last_layer(self) -> nn.Linear:
        """The one that gives the logits."""
        return self.gru.fc2

    def write(self, folder: Path, tokenizer: Tokenizer) -> None:
        """Write what `sentiment-edge export` reads."""
        shape = self.gru.config
        config = {
            "architectures": ["SentimentClassifierForHuggingFace"],
            "model_type": "sentiment_classifier",
            "vocab_size": shape.vocab_size,
            "embedding_dim": shape.embedding_dim,
            "hidden_dim": shape.hidden_dim,
            "output_dim": shape.output_dim,
            "n_layers": shape.n_layers,
            "bidirectional": True,
            "pad_idx": 0,
            "id2label": {str(index): label for index, label in LABELS.items()},
            "label2id": {label: index for index, label in LABELS.items()},
        }
        write_files(folder, tokenizer, self.longest)
        write_json(folder / "config.json", config)
        save_file({name: tensor.contiguous() for name, tensor in self.gru.state_dict().items()}, folder / "model.safetensors")


def _drop(embedding: nn.Module, _: tuple[Tensor], embedded: Tensor) -> Tensor:
    return nn.functional.dropout(embedded, _EMBEDDING_DROPOUT, embedding.training)
