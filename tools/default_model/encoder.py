"""The student that was tried beside it: the teacher itself, with two of its layers and fewer word pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification

from tools.default_model.checkpoint import write_files
from tools.default_model.student import Student

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

_LAYER = "bert.encoder.layer."
_WORDS, _PLACES = (f"bert.embeddings.{kind}_embeddings.weight" for kind in ("word", "position"))
_LAYERS = (0, 3)
"""Of the teacher's six, each of one digit, those to start from."""


class Encoder(Student):
    """A BERT of two layers; its products are computed with 16 bits in training."""

    pieces, longest, epochs, peak = 9_500, 128, 1, 3e-4

    def __init__(self, config: BertConfig, weights: Mapping[str, Tensor]) -> None:
        """Make one with these weights."""
        super().__init__()
        self.bert = BertForSequenceClassification(config)
        self.bert.load_state_dict(weights)

    @classmethod
    def start(cls, teacher: Path, pieces: Sequence[int]) -> Encoder:
        """Return one with the teacher's embeddings of these pieces, first positions and some layers."""
        config = BertConfig.from_pretrained(
            teacher,
            num_hidden_layers=len(_LAYERS),
            vocab_size=len(pieces),
            max_position_embeddings=cls.longest,
            pad_token_id=0,
        )
        weights = load_file(teacher / "model.safetensors")
        weights[_WORDS] = weights[_WORDS][list(pieces)]
        weights[_PLACES] = weights[_PLACES][: cls.longest]
        places = {f"{_LAYER}{old}.": f"{_LAYER}{new}." for new, old in enumerate(_LAYERS)}
        kept = {}
        for name, tensor in weights.items():
            start = name[: len(_LAYER) + 2] if name.startswith(_LAYER) else ""
            if not start or start in places:
                kept[places.get(start, "") + name.removeprefix(start)] = tensor
        return cls(config, kept)

    def forward(self, ids: Tensor) -> Tensor:
        """Return how much more positive than negative each text is."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            logits = self.bert(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        return cast("Tensor", (logits[:, 1] - logits[:, 0]).float())

    @property
    def last_layer(self) -> nn.Linear:
        """The one that gives the logits."""
        return self.bert.classifier

    def write(self, folder: Path, tokenizer: Tokenizer) -> None:
        """Write what `sentiment-edge export` reads."""
        write_files(folder, tokenizer, self.longest)
        self.bert.save_pretrained(folder)
