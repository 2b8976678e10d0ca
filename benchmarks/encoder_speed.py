"""Latency of encoder bundles against the peers: torch, transformers' exporter, ONNX Runtime's tools, OpenVINO, CTranslate2.

python benchmarks/encoder_speed.py --checkpoint ../distilbert-random --shapes 1x16,8x128
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from encoder_peers import PEERS, Original, build_peers, in_own_process
from measuring import describe_machine, interleaved_medians, seconds
from tokenizers import Tokenizer
from torch_encoder import read_config

from sentiment_edge.export import GraphOptions, Int8Options, export_model
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.engines.selection import choose

if TYPE_CHECKING:
    from collections.abc import Callable

    from encoder_peers import Run
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle

OURS: dict[str, dict[str, Any]] = {
    "ours-fp32": {"precision": "fp32"},
    "ours-fp32-unfused": {"precision": "fp32", "graph": GraphOptions(fusion=False)},
    "ours-int8": {"precision": "int8"},
    "ours-int8-per-tensor": {"precision": "int8", "int8": Int8Options("per-tensor")},
    "ours-openvino-fp32": {"precision": "fp32", "engines": ["openvino"]},
    "ours-openvino-int8": {"precision": "int8", "engines": ["openvino"]},
    "ours-auto-int8": {"precision": "int8", "engines": ["onnxruntime", "openvino"]},
}
REFERENCE = "torch-fp32"
STATIC_INT8 = "openvino-int8"
DYNAMIC_INT8 = ("exporters-int8", "onnxruntime-int8")
"""The peers that do what ours do: int8 by ONNX Runtime, scales found while running."""
LIBRARIES = ("torch", "transformers", "onnxruntime", "openvino", "nncf", "ctranslate2", "numpy")

CALIBRATION_TEXTS = 64
CALIBRATION_LENGTHS = (16, 128)
PAUSE = 0.1
"""Seconds before each run: the threads of whoever ran before keep spinning for a while."""
ENOUGH = 0.2
"""Seconds that one figure is measured over, at least."""


def main() -> None:
    """Build all, measure shape after shape, print."""
    arguments = _parse()
    torch.set_num_threads(arguments.threads)
    print(describe_machine(*filter(find_spec, LIBRARIES)), f"{arguments.threads} threads", sep=", ")
    with tempfile.TemporaryDirectory() as scratch:
        runs = _build(arguments, Path(scratch))
        for rows, length in arguments.shapes:
            _measure(runs, _random_batch(arguments.checkpoint, rows, length), arguments.rounds)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of an ELECTRA or DistilBERT classifier")
    parser.add_argument("--shapes", type=_shapes, default="1x16,1x32,1x128,8x128,32x32", help="batch x length, comma-separated")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=[*OURS, *PEERS], metavar="NAME", help=f"of {', '.join((*OURS, *PEERS))}")
    parser.add_argument("--peers-only", action="store_true", help="leave the bundles out")
    parser.add_argument("--texts", type=Path, help="texts to calibrate OpenVINO on, one per line; random ids without")
    return parser.parse_args()


def _shapes(text: str) -> list[tuple[int, int]]:
    pairs = (shape.split("x") for shape in text.split(","))
    return [(int(rows), int(length)) for rows, length in pairs]


def _build(arguments: argparse.Namespace, scratch: Path) -> dict[str, Run]:
    """Make the bundles and the peers' files, then open all."""
    chosen = arguments.only or [*OURS, *PEERS]
    mine = [] if arguments.peers_only else [name for name in OURS if name in chosen]
    bundles = {name: in_own_process(_export, arguments.checkpoint, scratch / name, name) for name in mine}
    calibration = _calibration(arguments.checkpoint, arguments.texts)
    original = Original(arguments.checkpoint, arguments.threads, calibration, scratch)
    peers = build_peers(original, [name for name in PEERS if name in chosen])
    return {name: _open_bundle(bundle, arguments.threads) for name, bundle in bundles.items()} | peers


def _export(checkpoint: Path, output: Path, name: str) -> Bundle:
    return export_model(str(checkpoint), output=output, **OURS[name]).bundle


def _open_bundle(bundle: Bundle, threads: int) -> Run:
    choice = choose(bundle, "auto", threads)
    if choice.timings:
        print(f"of {bundle.root.name}, auto chooses {choice.engine}")
    engine = open_engine(bundle, choice.engine, threads)
    return lambda ids, mask: engine(ids, mask).logits


def _calibration(checkpoint: Path, texts: Path | None) -> list[NDArray[np.int64]]:
    """Return the ids of the first texts of a file, or random ids."""
    if texts is None:
        lengths = np.random.default_rng(0).integers(*CALIBRATION_LENGTHS, CALIBRATION_TEXTS)
        return [_random_batch(checkpoint, 1, int(length))[0] for length in lengths]
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(CALIBRATION_LENGTHS[1])
    lines = texts.read_text(encoding="utf-8").splitlines()[:CALIBRATION_TEXTS]
    return [np.array([encoding.ids]) for encoding in tokenizer.encode_batch(lines)]


def _random_batch(checkpoint: Path, rows: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return random ids, none of them special, and a mask without padding."""
    vocabulary = read_config(checkpoint)["vocab_size"]
    ids = np.random.default_rng((rows, length)).integers(vocabulary // 15, vocabulary, (rows, length))
    return ids, np.ones_like(ids)


def _measure(runs: dict[str, Run], batch: tuple[NDArray[np.int64], NDArray[np.int64]], rounds: int) -> None:
    """Run all on the same ids, print one table; ratios are of speed, so more is better."""
    bound = {name: partial(run, *batch) for name, run in runs.items()}
    logits = {name: run() for name, run in bound.items()}
    medians = interleaved_medians({name: _timed(run) for name, run in bound.items()}, rounds)
    best = min((name for name in DYNAMIC_INT8 if name in medians), key=medians.__getitem__, default="")
    heads = ("ms", "speed/torch", "speed/best dynamic int8", "speed/NNCF's int8", "logits off by")
    print(f"\n{'x'.join(map(str, batch[0].shape)):<24}{''.join(f'{head:>24}' for head in heads)}")
    for name, median in medians.items():
        ratios = [f"{medians[other] / median:.2f}" if other in medians else "-" for other in (REFERENCE, best, STATIC_INT8)]
        drift = f"{np.abs(logits[name] - logits[REFERENCE]).max():.1e}" if REFERENCE in logits else "-"
        print(f"  {name:<22}{''.join(f'{cell:>24}' for cell in (f'{1000 * median:.2f}', *ratios, drift))}")


def _timed(run: Callable[[], object]) -> Callable[[], float]:
    """Return what waits, warms up, and measures as many calls as make a figure worth having."""
    times = max(1, round(ENOUGH / seconds(run)()))

    def timed() -> float:
        time.sleep(PAUSE)
        run()
        return seconds(run, times)()

    return timed


if __name__ == "__main__":
    main()
