"""Latency and throughput of an int8 GRU bundle against its original in torch.

python benchmarks/gru_speed.py --checkpoint ../shared/checkpoints/gru-sst2 --data ../shared/data/sst2/dev.tsv
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from measuring import describe_machine, interleaved_medians, print_table, process_seconds, read_sentences, seconds

from sentiment_edge.export import export_model
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families.gru_attention import GruAttention, load_classifier
from sentiment_edge_export.options import ExportOptions
from sentiment_edge_runtimes.batching import pad, padded_length
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.vocabulary import PRECISIONS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from sentiment_edge_runtimes.bundle import Bundle

TOKENS = 20
LINES = 20_000
TORCH_BATCH = 32


def main() -> None:
    """Export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of a GRU checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="tab-separated file with a column `sentence`")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(describe_machine("torch", "onnxruntime", "numpy"), f"{arguments.threads} threads", sep=", ")
    checkpoint = find_checkpoint(str(arguments.checkpoint))
    options = ExportOptions()
    model = load_classifier(checkpoint, options).make_form(options.graph.fusion).module.model
    assert isinstance(model, GruAttention)
    with tempfile.TemporaryDirectory() as scratch:
        bundles: dict[str, Bundle] = {}
        for precision in PRECISIONS[::-1]:
            report = export_model(str(arguments.checkpoint), precision=precision, output=f"{scratch}/{precision}")
            bundles[precision] = report.bundle
        _latency(model, bundles, arguments)
        lines = [sentence for sentence, _ in read_sentences(arguments.data)]
        _throughput(model, checkpoint.tokenizer.library, bundles, (lines * (LINES // len(lines) + 1))[:LINES], arguments)


def _latency(model: GruAttention, bundles: dict[str, Bundle], arguments: argparse.Namespace) -> None:
    ids = np.random.default_rng(0).integers(1000, 9000, (1, TOKENS))
    in_torch = torch.from_numpy(ids)
    runs = {}
    for precision, bundle in bundles.items():
        engine = open_engine(bundle, "onnxruntime", arguments.threads)
        length = padded_length(TOKENS, bundle.manifest.grid)
        batch = pad(ids.tolist(), length, bundle.manifest.pad_id)
        runs[f"bundle {precision}"] = seconds(partial(engine, *batch), 100)
    with torch.inference_mode():
        runs["torch fp32 eager"] = seconds(lambda: model(in_torch), 100)
        medians = interleaved_medians(runs, arguments.rounds)
    print_table(f"one sentence of {TOKENS} tokens", [(name, 1000 * value) for name, value in medians.items()], "ms")


def _throughput(
    model: GruAttention, tokenizer: Tokenizer, bundles: dict[str, Bundle], lines: list[str], arguments: argparse.Namespace
) -> None:
    """Whole `predict` processes, less those of a single line; torch in this process, tokenizing included."""
    stdin = "".join(line + "\n" for line in lines).encode()
    one = stdin[: stdin.index(b"\n") + 1]
    runs = {}
    for precision, bundle in bundles.items():
        command = [sys.executable, "-m", "sentiment_edge", "predict", str(bundle.root), "--threads", str(arguments.threads)]
        runs[precision] = process_seconds(command, stdin)
        runs[f"{precision}, one line"] = process_seconds(command, one)
    with torch.inference_mode():
        for packed in (False, True):
            name = "torch fp32, packed" if packed else "torch fp32, as it comes"
            runs[name] = seconds(partial(_in_torch, model, tokenizer, lines, packed=packed))
        medians = interleaved_medians(runs, max(3, arguments.rounds // 2))
    rows = [
        (f"predict {precision}", len(lines) / (medians[precision] - medians[f"{precision}, one line"])) for precision in bundles
    ]
    rows += [(f"{name}, batches of {TORCH_BATCH}", len(lines) / value) for name, value in medians.items() if "torch" in name]
    print_table(f"{len(lines)} lines, start-up left out", rows, "lines/s")


def _in_torch(model: GruAttention, tokenizer: Tokenizer, lines: list[str], *, packed: bool) -> None:
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding()
    for start in range(0, len(lines), TORCH_BATCH):
        encodings = tokenizer.encode_batch_fast(lines[start : start + TORCH_BATCH])
        ids = torch.tensor([encoding.ids for encoding in encodings])
        lengths = torch.tensor([sum(encoding.attention_mask) for encoding in encodings])
        logits, _ = model(ids, lengths if packed else None)
        logits.softmax(dim=1).tolist()


if __name__ == "__main__":
    main()
