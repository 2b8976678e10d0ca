"""A Burn transformer against its definition in torch, what each form of its attention costs, and how its record is read.

python benchmarks/burn_speed.py --checkpoint ../sam
"""

from __future__ import annotations

import argparse
import tempfile
import tracemalloc
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import torch
from measuring import describe_machine, interleaved_medians, print_table, seconds

from sentiment_edge.export import BurnOptions, SourceOptions, export_model
from sentiment_edge_export.checkpoints.burn_records import read_record
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.families.burn_transformer.records import find_record
from sentiment_edge_export.options import ExportOptions
from sentiment_edge_export.vocabulary import QuietSoftmax
from sentiment_edge_runtimes.batching import pad, padded_length
from sentiment_edge_runtimes.engines.loader import open_engine

if TYPE_CHECKING:
    from sentiment_edge_runtimes.bundle import Bundle

TOKENS = 20
TIMES = 100


def main() -> None:
    """Read, export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder with a record of Burn and a tokenizer")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(describe_machine("torch", "onnxruntime"), f"{arguments.threads} threads", sep=", ")
    _measure_reading(arguments.checkpoint)
    with tempfile.TemporaryDirectory() as scratch:
        _measure_speed(arguments, Path(scratch))


def _measure_reading(checkpoint: Path) -> None:
    path = find_record(checkpoint)
    assert path is not None
    size = path.stat().st_size
    taken = interleaved_medians({"": seconds(partial(read_record, path))}, 5)[""]
    tracemalloc.start()
    read_record(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"\nreading {path.name}, {size / 1e6:.1f} MB: {taken:.2f} s, {peak / size:.1f} times its size in memory at the peak")


def _measure_speed(arguments: argparse.Namespace, scratch: Path) -> None:
    classifier = load_classifier(find_checkpoint(str(arguments.checkpoint)), ExportOptions())
    vocabulary = 20_000
    ids = np.random.default_rng(0).integers(vocabulary // 15, vocabulary, TOKENS).tolist()
    export = partial(export_model, str(arguments.checkpoint))
    bundles: dict[str, Bundle] = {"bundle, int8": export(precision="int8", output=scratch / "int8").bundle}
    for form in get_args(QuietSoftmax):
        source = SourceOptions(burn=BurnOptions(quiet_softmax=form))
        bundles[f"bundle, fp32, {form}"] = export(output=scratch / form, source=source).bundle
    runs = {f"torch, fp32, {TOKENS} tokens": seconds(partial(classifier.reference, torch.tensor(ids)), TIMES)}
    for name, bundle in bundles.items():
        engine = open_engine(bundle, "onnxruntime", arguments.threads)
        batch = pad([ids], padded_length(TOKENS, bundle.manifest.grid), bundle.manifest.pad_id)
        runs[name] = seconds(partial(engine, *batch), TIMES)
    medians = interleaved_medians(runs, arguments.rounds)
    print_table("one text", [(name, 1000 * median) for name, median in medians.items()], "ms")


if __name__ == "__main__":
    main()
