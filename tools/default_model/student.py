"""The student: the attention GRU, taught by the teacher's answers, its embeddings started from the teacher's."""

from __future__ import annotations

import math
import random
import time
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sentiment_edge_export.families.gru_attention import MAX_LENGTH, GruAttention, GruAttentionConfig
from tools.default_model.calibration import fit_temperature
from tools.default_model.checkpoint import write_checkpoint
from tools.default_model.pieces import SPECIAL, trim_tokenizer
from tools.default_model.texts import NEITHER, accuracy_by_source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from tools.default_model.texts import Example

_PIECES = 12_000
_EMBEDDING, _HIDDEN, _ATTENTION, _FEED_FORWARD = 128, 256, 512, 256
_EPOCHS, _BATCH = 2, 128
_PEAK, _WARM_UP = 2.5e-3, 0.05
_AVERAGE = 0.999
_EMBEDDING_DROPOUT, _DROPOUT, _PIECE_DROPOUT = 0.15, 0.2, 0.05
_SURE = 8.0
"""Differences of logits beyond this tell nothing more."""
_SQUARES = 0.05
"""Weight of the squared differences beside the cross entropy."""


class _Training:
    """A student under training, and all that a later run needs to go on with it."""

    def __init__(self, model: GruAttention) -> None:
        self.model = model
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGE))  # type: ignore[no-untyped-call]
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=_PEAK, weight_decay=0.01)
        model.embedding.register_forward_hook(_drop_embeddings)

    @property
    def student(self) -> GruAttention:
        """The model whose weights are the average of the last steps'."""
        return cast("GruAttention", self.average.module)

    def save(self, file: Path, epochs: int) -> None:
        model, average, optimizer = (part.state_dict() for part in (self.model, self.average, self.optimizer))
        torch.save({"model": model, "average": average, "optimizer": optimizer, "epochs": epochs}, file)

    def restore(self, file: Path) -> int:
        """Return how many epochs are done."""
        if not file.exists():
            return 0
        saved = torch.load(file, weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        return int(saved["epochs"])

    def step(self, ids: Tensor, wanted: Tensor, learning_rate: float) -> float:
        self.optimizer.param_groups[0]["lr"] = learning_rate
        loss = _loss(self.model, ids, wanted)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        return loss.item()


def train_student(
    teacher: Path, output: Path, texts: Sequence[str], targets: NDArray[np.float32], held_back: Sequence[Example], seed: int
) -> None:
    """Train and write the student; goes on after the last epoch that was finished.

    Args:
        teacher: folder of its checkpoint.
        output: folder for the student's; what a later run needs is beside it.
        texts: what to learn from.
        targets: for each text, how much the logit of positive is above that of negative.
        held_back: labelled texts, to measure on and to fit the temperature by.
        seed: of all that is made at random.
    """
    torch.manual_seed(seed)
    tokenizer, pieces = trim_tokenizer(teacher, texts, _PIECES)
    config = GruAttentionConfig(len(pieces), _EMBEDDING, _HIDDEN, _ATTENTION, _FEED_FORWARD, 2)
    words = load_file(teacher / "model.safetensors")["bert.embeddings.word_embeddings.weight"]
    training = _Training(_start(config, words[pieces]))
    state, encoded = output.with_suffix(".state"), _encode(tokenizer, texts)
    for epoch in range(training.restore(state), _EPOCHS):
        _run_epoch(training, encoded, targets, epoch, seed + epoch)
        training.save(state, epoch + 1)
        print(f"student {epoch + 1}: {_measure(training.student, tokenizer, held_back)}", flush=True)
    student = training.student.eval()
    _cool(student, _temperature(student, tokenizer, held_back))
    write_checkpoint(output, tokenizer, student)


def _start(config: GruAttentionConfig, words: Tensor) -> GruAttention:
    """Return a model whose embeddings are the teacher's along the directions in which these differ most."""
    model = GruAttention(config, dropout=_DROPOUT)
    centred = words - words.mean(0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    reduced = centred @ directions[: config.embedding_dim].T
    with torch.no_grad():
        model.embedding.weight.copy_(reduced / reduced.std() * 0.5)
        model.embedding.weight[0].zero_()
    return model


def _drop_embeddings(embedding: nn.Module, _: tuple[Tensor], embedded: Tensor) -> Tensor:
    return nn.functional.dropout(embedded, _EMBEDDING_DROPOUT, embedding.training)


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Return the ids of each text, a long one cut before its last, which closes it."""
    found: list[list[int]] = []
    for at in range(0, len(texts), 20_000):
        for encoding in tokenizer.encode_batch_fast(list(texts[at : at + 20_000])):
            ids = encoding.ids
            found.append(ids if len(ids) <= MAX_LENGTH else [*ids[: MAX_LENGTH - 1], ids[-1]])
    return found


def _run_epoch(training: _Training, encoded: list[list[int]], targets: NDArray[np.float32], epoch: int, seed: int) -> None:
    start = time.monotonic()
    torch.manual_seed(seed)
    training.model.train()
    batches = _batches(encoded, random.Random(seed))
    for step, rows in enumerate(batches):
        ids, wanted = torch.tensor([encoded[row] for row in rows]), torch.from_numpy(targets[rows])
        loss = training.step(ids, wanted, _learning_rate((epoch + step / len(batches)) / _EPOCHS))
        if step % 200 == 0:
            print(f"student {epoch + 1}: {step}/{len(batches)}, loss {loss:.3f}, {time.monotonic() - start:.0f} s", flush=True)


def _batches(encoded: list[list[int]], chance: random.Random) -> list[list[int]]:
    """Return rows in batches of one length each, shuffled: nothing needs padding."""
    by_length: dict[int, list[int]] = {}
    for row in chance.sample(range(len(encoded)), len(encoded)):
        by_length.setdefault(len(encoded[row]), []).append(row)
    groups = [rows[at : at + _BATCH] for rows in by_length.values() for at in range(0, len(rows), _BATCH)]
    chance.shuffle(groups)
    return groups


def _loss(model: GruAttention, ids: Tensor, wanted: Tensor) -> Tensor:
    ids = ids.masked_fill((torch.rand(ids.shape) < _PIECE_DROPOUT) & (ids >= len(SPECIAL)), 1)
    logits, _ = model(ids)
    found, wanted = logits[:, 1] - logits[:, 0], wanted.clamp(-_SURE, _SURE)
    cross_entropy = nn.functional.binary_cross_entropy_with_logits(found, wanted.sigmoid())
    return cross_entropy + _SQUARES * nn.functional.mse_loss(found, wanted)


def _learning_rate(progress: float) -> float:
    """Up to the peak over the first part of the training, then down to nothing along a cosine."""
    if progress < _WARM_UP:
        return _PEAK * progress / _WARM_UP
    return _PEAK * (1 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP))) / 2


@torch.inference_mode()
def _margins(model: GruAttention, tokenizer: Tokenizer, texts: Sequence[str]) -> Tensor:
    model.eval()
    logits = torch.cat([model(torch.tensor([ids]))[0] for ids in _encode(tokenizer, texts)])
    return logits[:, 1] - logits[:, 0]


def _measure(model: GruAttention, tokenizer: Tokenizer, rows: Sequence[Example]) -> str:
    clear = [row for row in rows if row.positive != NEITHER]
    return accuracy_by_source(clear, _margins(model, tokenizer, [row.text for row in clear]).tolist())


def _temperature(model: GruAttention, tokenizer: Tokenizer, rows: Sequence[Example]) -> float:
    clear = [row for row in rows if row.positive != NEITHER]
    margins = _margins(model, tokenizer, [row.text for row in clear]).numpy()
    return fit_temperature(margins, np.array([row.positive for row in clear], np.float32))


def _cool(model: GruAttention, temperature: float) -> None:
    print(f"temperature {temperature:.2f}", flush=True)
    with torch.no_grad():
        model.fc2.weight.div_(temperature)
        model.fc2.bias.div_(temperature)
