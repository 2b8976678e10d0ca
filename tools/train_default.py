"""Train the checkpoint that ships with the package: a small attention GRU on SST-2.

    python tools/train_default.py --data FOLDER --output export/sentiment_edge_export/checkpoints/packaged/gru-mini

FOLDER holds `train.tsv` and `dev.tsv` with the columns `sentence` and `label` (0 negative, 1 positive), as GLUE has them.
The dev rows are only measured, never trained on. The schedule is fixed; the weights kept are a running average. What trains the
vocabulary breaks ties at random, so two runs differ by a few pieces and some tenths of a point.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import time
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge.data.labelled import Selection, read_labelled
from sentiment_edge_export.families.gru_attention import MAX_LENGTH, GruAttention, GruAttentionConfig

VOCABULARY = 10_000
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, UNK = 0, 1
LABELS = ("negative", "positive")
EPOCHS = 6
BATCH = 64
PEAK_LEARNING_RATE, WARM_UP = 2e-3, 0.2
AVERAGE_DECAY = 0.999
EMBEDDING_DROPOUT, DROPOUT, PIECE_DROPOUT, LABEL_SMOOTHING = 0.4, 0.5, 0.1, 0.1

Example = tuple[list[int], int]


def main() -> None:
    """Train, measure on the dev rows, write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.tsv and dev.tsv")
    parser.add_argument("--output", type=Path, default=Path("export/sentiment_edge_export/checkpoints/packaged/gru-mini"))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    torch.manual_seed(arguments.seed)
    train, dev = (_read(arguments.data / f"{split}.tsv") for split in ("train", "dev"))
    tokenizer = _train_tokenizer([text for text, _ in train])
    model = _train_model(tokenizer, train, dev)
    _write_checkpoint(arguments.output, tokenizer, model)


def _read(path: Path) -> list[tuple[str, str]]:
    """Return texts and labels."""
    rows = read_labelled(path, Selection(skip_bad=True), TerminalProgress())
    return [(row.text.strip(), row.label) for row in rows]


def _as_written(text: str) -> str:
    """Undo the treebank's spacing (`it 's`, `do n't`, `good .`), so that ordinary text is familiar too."""
    text = re.sub(r" (n't|'\w+)\b", r"\1", text)
    text = re.sub(r" ([.,!?;:])", r"\1", text)
    return text.replace("-lrb- ", "(").replace(" -rrb-", ")")


def _train_tokenizer(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token=SPECIAL_TOKENS[UNK]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL_TOKENS, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    vocabulary = tokenizer.get_vocab()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    return tokenizer


def _encode(tokenizer: Tokenizer, rows: list[tuple[str, str]]) -> list[Example]:
    encodings = tokenizer.encode_batch([text for text, _ in rows])
    return [(encoding.ids[:MAX_LENGTH], int(label)) for encoding, (_, label) in zip(encodings, rows, strict=True)]


def _train_model(tokenizer: Tokenizer, train: list[tuple[str, str]], dev: list[tuple[str, str]]) -> GruAttention:
    config = GruAttentionConfig(tokenizer.get_vocab_size(), 100, 256, 512, 256, len(LABELS))
    model = GruAttention(config, dropout=DROPOUT)
    model.embedding.register_forward_hook(_drop_embeddings)
    variants = [_encode(tokenizer, train), _encode(tokenizer, [(_as_written(text), label) for text, label in train])]
    dev_examples = _encode(tokenizer, dev)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY))  # type: ignore[no-untyped-call]
    averaged = cast("GruAttention", average.module)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=0.01)
    start = time.monotonic()
    for epoch in range(EPOCHS):
        model.train()
        batches = _batches([random.choice(pair) for pair in zip(*variants, strict=True)])
        for step, (ids, labels) in enumerate(batches):
            optimizer.param_groups[0]["lr"] = _learning_rate((epoch + step / len(batches)) / EPOCHS)
            _step(model, optimizer, ids, labels)
            average.update_parameters(model)
        accuracy = _accuracy(averaged, dev_examples)
        print(f"epoch {epoch + 1}/{EPOCHS}: dev accuracy {accuracy:.4f}, {time.monotonic() - start:.0f} s", flush=True)
    return averaged


def _drop_embeddings(embedding: nn.Module, _: tuple[Tensor], embedded: Tensor) -> Tensor:
    return nn.functional.dropout(embedded, EMBEDDING_DROPOUT, embedding.training)


def _learning_rate(progress: float) -> float:
    """Up to the peak over the first fifth of the training, then down to nothing along a cosine."""
    if progress < WARM_UP:
        return PEAK_LEARNING_RATE * progress / WARM_UP
    return PEAK_LEARNING_RATE * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


def _batches(examples: list[Example]) -> list[tuple[Tensor, Tensor]]:
    """Batches of one length each, shuffled: nothing needs padding."""
    by_length: dict[int, list[Example]] = {}
    for example in random.sample(examples, len(examples)):
        by_length.setdefault(len(example[0]), []).append(example)
    groups = [group[at : at + BATCH] for group in by_length.values() for at in range(0, len(group), BATCH)]
    random.shuffle(groups)
    return [(torch.tensor([ids for ids, _ in group]), torch.tensor([label for _, label in group])) for group in groups]


def _step(model: GruAttention, optimizer: torch.optim.Optimizer, ids: Tensor, labels: Tensor) -> None:
    ids = ids.masked_fill((torch.rand(ids.shape) < PIECE_DROPOUT) & (ids >= len(SPECIAL_TOKENS)), UNK)
    logits, _ = model(ids)
    loss = nn.functional.cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


@torch.no_grad()
def _accuracy(model: GruAttention, examples: list[Example]) -> float:
    model.eval()
    return sum(int(model(torch.tensor([ids]))[0].argmax()) == label for ids, label in examples) / len(examples)


def _write_checkpoint(folder: Path, tokenizer: Tokenizer, model: GruAttention) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["SentimentClassifierForHuggingFace"],
        "model_type": "sentiment_classifier",
        "vocab_size": model.config.vocab_size,
        "embedding_dim": model.config.embedding_dim,
        "hidden_dim": model.config.hidden_dim,
        "output_dim": model.config.output_dim,
        "n_layers": model.config.n_layers,
        "bidirectional": True,
        "dropout": DROPOUT,
        "pad_idx": PAD,
        "id2label": {str(index): label for index, label in enumerate(LABELS)},
        "label2id": {label: index for index, label in enumerate(LABELS)},
    }
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    special = dict(zip(names, SPECIAL_TOKENS, strict=True))
    tokenizer_config = {"do_lower_case": True, "model_max_length": MAX_LENGTH, "tokenizer_class": "BertTokenizer", **special}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8", newline="\n")
    text = json.dumps(tokenizer_config, indent=2) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8", newline="\n")
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")


if __name__ == "__main__":
    main()
