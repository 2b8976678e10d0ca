"""The teacher: MiniLM, fine-tuned on labelled texts."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from sentiment_edge_runtimes.bundle.contents import sha256
from tools.default_model.checkpoint import LABELS
from tools.default_model.progress import Progress, fingerprint
from tools.default_model.texts import Example, accuracy_by_source, as_written, clear_ones

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

_Batch = tuple[Tensor, Tensor, Tensor]
"""Ids and mask, [texts, pieces], and the wanted share of each class, [texts, 2]."""
_EPOCHS = 3
_BATCH = 32
_PEAK, _WARM_UP = 8e-5, 0.1
_LONGEST = 160
"""Pieces of a text that the teacher reads."""
_MEASURED_AT_ONCE = 256
_WRITTEN = 0.6
"""Share of texts that are read as people write them, not as the treebank does."""


def train_teacher(base: Path, output: Path, train: Sequence[Example], held_back: Sequence[Example], seed: int) -> None:
    """Fine-tune and write the teacher; goes on after the last epoch that was finished.

    Its products are computed with 16 bits, where the processor does so in half the time.

    Args:
        base: folder of the model to start from.
        output: folder for the teacher's checkpoint; what a later run needs is beside it.
        train: labelled texts.
        held_back: labelled texts, to measure on.
        seed: of all that is made at random.
    """
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    numbers = {name: number for number, name in LABELS.items()}
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=2, id2label=LABELS, label2id=numbers)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_PEAK, weight_decay=0.01, fused=True)
    made_from = fingerprint([sha256(base / "model.safetensors"), str(seed), *(f"{each}" for each in train)])
    progress = Progress(output.with_suffix(".state"), made_from, {"model": model, "optimizer": optimizer})
    for epoch in range(progress.restore(), _EPOCHS):
        torch.manual_seed(seed + epoch)
        _run_epoch(model, optimizer, _batches(tokenizer, train, random.Random(seed + epoch)), epoch)
        progress.keep(epoch + 1)
        print(f"teacher {epoch + 1}: {_measure(model, tokenizer, held_back)}", flush=True)
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)


def _run_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, batches: Sequence[_Batch], epoch: int) -> None:
    start = time.monotonic()
    model.train()
    for step, (ids, mask, wanted) in enumerate(batches):
        optimizer.param_groups[0]["lr"] = _learning_rate((epoch + step / len(batches)) / _EPOCHS)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=ids, attention_mask=mask).logits
        loss = nn.functional.cross_entropy(logits.float(), wanted)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 200 == 0:
            print(
                f"teacher {epoch + 1}: {step}/{len(batches)}, loss {loss.item():.3f}, {time.monotonic() - start:.0f} s",
                flush=True,
            )


def _batches(tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], chance: random.Random) -> list[_Batch]:
    texts = [as_written(each.text) if chance.random() < _WRITTEN else each.text for each in examples]
    encoded = tokenizer(texts, truncation=True, max_length=_LONGEST)["input_ids"]
    order = sorted(range(len(examples)), key=lambda at: (len(encoded[at]) // 4, chance.random()))
    groups = [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]
    chance.shuffle(groups)
    batches = []
    for group in groups:
        ids, mask = _padded([encoded[at] for at in group])
        wanted = torch.tensor([[1 - examples[at].positive, examples[at].positive] for at in group], dtype=torch.float32)
        batches.append((ids, mask, wanted))
    return batches


def _padded(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    return ids, (torch.arange(ids.shape[1]) < lengths[:, None]).long()


def _learning_rate(progress: float) -> float:
    return _PEAK * (progress / _WARM_UP if progress < _WARM_UP else (1 - progress) / (1 - _WARM_UP))


@torch.inference_mode()
def _margins(model: nn.Module, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> np.ndarray:
    model.eval()
    encoded = tokenizer(list(texts), truncation=True, max_length=_LONGEST)["input_ids"]
    order = sorted(range(len(texts)), key=lambda at: len(encoded[at]))
    found = np.empty(len(texts), np.float32)
    for at in range(0, len(order), _MEASURED_AT_ONCE):
        group = order[at : at + _MEASURED_AT_ONCE]
        ids, mask = _padded([encoded[each] for each in group])
        logits = model(input_ids=ids, attention_mask=mask).logits
        found[group] = (logits[:, 1] - logits[:, 0]).numpy()
    return found


def _measure(model: nn.Module, tokenizer: PreTrainedTokenizerBase, held_back: Sequence[Example]) -> str:
    clear = clear_ones(held_back)
    margins = _margins(model, tokenizer, [as_written(each.text) for each in clear])
    return accuracy_by_source(clear, margins.tolist())
