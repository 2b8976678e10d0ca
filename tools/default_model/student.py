"""A student under training: taught by the teacher's answers, its embeddings started from the teacher's."""

from __future__ import annotations

import math
import random
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sentiment_edge_runtimes.bundle.contents import sha256
from tools.default_model.calibration import fit_temperature
from tools.default_model.pieces import SPECIAL, trim_tokenizer
from tools.default_model.progress import Progress, fingerprint
from tools.default_model.texts import accuracy_by_source, clear_ones

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from tools.default_model.texts import Example

_BATCH = 128
_WARM_UP = 0.05
_AVERAGE = 0.999
_PIECE_DROPOUT = 0.05
_SURE = 8.0
"""Differences of logits beyond this tell nothing more."""
_SQUARES = 0.05
"""Weight of the squared differences beside the cross entropy."""


class Student(nn.Module, ABC):
    """A small model that is taught; called with ids, [texts, pieces], it returns differences of logits, [texts]."""

    pieces: ClassVar[int]
    """Size of its vocabulary."""
    longest: ClassVar[int]
    """Pieces of a text that it reads."""
    epochs: ClassVar[int]
    peak: ClassVar[float]
    """Of the learning rate."""

    @classmethod
    @abstractmethod
    def start(cls, teacher: Path, pieces: Sequence[int]) -> Student:
        """Return one before its training, whose word pieces are these of the teacher's."""

    @property
    @abstractmethod
    def last_layer(self) -> nn.Linear:
        """The one that gives the logits."""

    def cool(self, temperature: float) -> None:
        """Divide its logits by a temperature."""
        with torch.no_grad():
            for parameter in self.last_layer.parameters():
                parameter.div_(temperature)

    @abstractmethod
    def write(self, folder: Path, tokenizer: Tokenizer) -> None:
        """Write its checkpoint."""


class Lessons(NamedTuple):
    """What a student learns from."""

    texts: list[str]
    targets: NDArray[np.float32]
    """For each text, how much the logit of positive is above that of negative."""


class _Training:
    """A student, the average of its weights over the last steps, and what changes them."""

    def __init__(self, model: Student) -> None:
        self.model = model
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGE))  # type: ignore[no-untyped-call]
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=model.peak, weight_decay=0.01, fused=True)

    @property
    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        """All that a later run goes on from."""
        return {"model": self.model, "average": self.average, "optimizer": self.optimizer}

    @property
    def student(self) -> Student:
        """The model whose weights are the average."""
        return cast("Student", self.average.module)

    def step(self, ids: Tensor, wanted: Tensor, progress: float) -> float:
        self.optimizer.param_groups[0]["lr"] = self.model.peak * _share_of_peak(progress)
        loss = _loss(self.model, ids, wanted)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        return loss.item()


def train_student(
    kind: type[Student],
    teacher: Path,
    output: Path,
    lessons: Lessons,
    held_back: Sequence[Example],
    seed: int,
) -> None:
    """Train and write the student; goes on after the last epoch that was finished.

    Args:
        kind: what to train.
        teacher: folder of its checkpoint.
        output: folder for the student's; what a later run needs is beside it.
        lessons: the texts, and what the teacher says of them.
        held_back: labelled texts, to measure on and to fit the temperature by.
        seed: of all that is made at random.
    """
    torch.manual_seed(seed)
    tokenizer, pieces = trim_tokenizer(teacher, lessons.texts, kind.pieces)
    training = _Training(kind.start(teacher, pieces))
    made_from = fingerprint([sha256(teacher / "model.safetensors"), str(seed), lessons.targets.tobytes().hex(), *lessons.texts])
    progress = Progress(output.with_suffix(".state"), made_from, training.parts)
    encoded = _encode(tokenizer, lessons.texts, kind.longest)
    for epoch in range(progress.restore(), kind.epochs):
        _run_epoch(training, encoded, lessons.targets, epoch, seed + epoch)
        progress.keep(epoch + 1)
        found = _margins(training.student, tokenizer, clear_ones(held_back))
        print(f"{output.name} {epoch + 1}: {accuracy_by_source(clear_ones(held_back), found.tolist())}", flush=True)
    student = training.student.eval()
    temperature = _temperature(student, tokenizer, clear_ones(held_back))
    print(f"temperature {temperature:.2f}", flush=True)
    student.cool(temperature)
    student.write(output, tokenizer)


def _encode(tokenizer: Tokenizer, texts: Sequence[str], longest: int) -> list[list[int]]:
    """Return the ids of each text, a long one cut before its last, which closes it."""
    found: list[list[int]] = []
    for at in range(0, len(texts), 20_000):
        for encoding in tokenizer.encode_batch_fast(list(texts[at : at + 20_000])):
            ids = encoding.ids
            found.append(ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]])
    return found


def _run_epoch(training: _Training, encoded: list[list[int]], targets: NDArray[np.float32], epoch: int, seed: int) -> None:
    start = time.monotonic()
    torch.manual_seed(seed)
    training.model.train()
    batches = _batches(encoded, random.Random(seed))
    for step, rows in enumerate(batches):
        ids, wanted = torch.tensor([encoded[row] for row in rows]), torch.from_numpy(targets[rows])
        loss = training.step(ids, wanted, (epoch + step / len(batches)) / training.model.epochs)
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


def _loss(model: Student, ids: Tensor, wanted: Tensor) -> Tensor:
    ids = ids.masked_fill((torch.rand(ids.shape) < _PIECE_DROPOUT) & (ids >= len(SPECIAL)), 1)
    found, wanted = model(ids), wanted.clamp(-_SURE, _SURE)
    cross_entropy = nn.functional.binary_cross_entropy_with_logits(found, wanted.sigmoid())
    return cross_entropy + _SQUARES * nn.functional.mse_loss(found, wanted)


def _share_of_peak(progress: float) -> float:
    """Up to the peak over the first part of the training, then down to nothing along a cosine."""
    if progress < _WARM_UP:
        return progress / _WARM_UP
    return (1 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP))) / 2


@torch.inference_mode()
def _margins(model: Student, tokenizer: Tokenizer, rows: Sequence[Example]) -> NDArray[np.float32]:
    model.eval()
    found = [model(torch.tensor([ids])).numpy() for ids in _encode(tokenizer, [row.text for row in rows], model.longest)]
    return np.concatenate(found)


def _temperature(model: Student, tokenizer: Tokenizer, rows: Sequence[Example]) -> float:
    return fit_temperature(_margins(model, tokenizer, rows), np.array([row.positive for row in rows], np.float32))
