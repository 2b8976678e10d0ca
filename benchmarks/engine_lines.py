"""Lines per second through `predict` against a plain loop over OpenVINO, and what the cache saves of a second start.

    python benchmarks/engine_lines.py --checkpoint ../distilbert-random --data dev.tsv

The loop is what OpenVINO's documentation leads to: batches of 32 as they come, padded to their longest, one compiled model
with its defaults but for the number of threads and fp32. It runs the same model once in NNCF's int8, once in ours.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from encoder_peers import Original, build_openvino_int8, in_own_process
from measuring import describe_machine, interleaved_medians, print_table, process_seconds, read_sentences
from tokenizers import Tokenizer

from sentiment_edge.export import export_model
from sentiment_edge_export.quantization.calibration import calibration_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_runtimes.bundle import Bundle

_ROWS = 32
_LINE = b"An ordinary line.\n"


def main() -> None:
    """Build the models, time whole processes in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of an ELECTRA or DistilBERT classifier")
    parser.add_argument("--data", type=Path, required=True, help="labelled lines, as `sentiment-edge evaluate` reads them")
    parser.add_argument("--repeat", type=int, default=4, help="how often the lines are run over")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--loop", nargs=2, type=Path, metavar=("MODEL", "TOKENIZER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loop:
        model, tokenizer = arguments.loop
        run_loop(model, tokenizer, arguments.threads)
        return
    print(describe_machine("onnxruntime", "openvino", "nncf"), f"{arguments.threads} threads", sep=", ")
    lines = "".join(f"{text}\n" for text, _ in read_sentences(arguments.data)) * arguments.repeat
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["SENTIMENT_EDGE_CACHE"] = str(Path(scratch) / "cache")
        bundle = in_own_process(export, arguments.checkpoint, Path(scratch) / "bundle")
        peer = build_peer(arguments, Path(scratch))
        compare_lines(bundle, peer, lines.encode(), arguments)
        compare_starts(bundle, Path(scratch), arguments.rounds)


def export(checkpoint: Path, output: Path) -> Bundle:
    """Export int8 for both engines."""
    return export_model(str(checkpoint), precision="int8", engines=["onnxruntime", "openvino"], output=output).bundle


def build_peer(arguments: argparse.Namespace, scratch: Path) -> Path:
    """Quantize by NNCF's defaults on our calibration texts."""
    tokenizer = Tokenizer.from_file(str(arguments.checkpoint / "tokenizer.json"))
    tokenizer.no_padding()
    ids = [np.array([tokenizer.encode(text).ids]) for text in calibration_texts()]
    return in_own_process(build_openvino_int8, Original(arguments.checkpoint, arguments.threads, ids, scratch))


def compare_lines(bundle: Bundle, peer: Path, lines: bytes, arguments: argparse.Namespace) -> None:
    """Time whole processes over the lines; speed is lines over all of that."""
    threads = ["--threads", str(arguments.threads)]
    predict = [sys.executable, "-m", "sentiment_edge", "predict", str(bundle.root), *threads]
    loop = partial(_loop_command, bundle.root / "tokenizer.json", arguments)
    commands = {
        "a plain loop over NNCF's int8": loop(peer),
        "a plain loop over our int8": loop(bundle.model_path("openvino")),
        "predict, auto": predict,
        "predict, onnxruntime": [*predict, "--engine", "onnxruntime"],
        "predict, openvino": [*predict, "--engine", "openvino"],
    }
    subprocess.run(predict, input=_LINE, check=True, capture_output=True)  # the engine is chosen here
    medians = interleaved_medians({name: process_seconds(each, lines) for name, each in commands.items()}, arguments.rounds)
    count = lines.count(b"\n")
    print_table(f"{count} lines", [(name, count / median) for name, median in medians.items()], "lines/s")


def compare_starts(bundle: Bundle, scratch: Path, rounds: int) -> None:
    """Time a process over one line, with a fresh cache and with a full one."""
    predict = [sys.executable, "-m", "sentiment_edge", "predict", str(bundle.root)]
    for name, options in (("openvino", ["--engine", "openvino"]), ("auto", [])):
        runs: dict[str, list[float]] = {"first start": [], "second start": []}
        for turn in range(rounds):
            os.environ["SENTIMENT_EDGE_CACHE"] = str(scratch / f"cache-{name}-{turn}")
            for measured in runs.values():
                measured.append(process_seconds([*predict, *options], _LINE)())
        print_table(f"{name}, one line", [(start, 1000 * float(np.median(each))) for start, each in runs.items()], "ms")


def _loop_command(tokenizer: Path, arguments: argparse.Namespace, model: Path) -> list[str]:
    required = ["--checkpoint", str(arguments.checkpoint), "--data", str(arguments.data)]
    return [sys.executable, __file__, *required, "--threads", str(arguments.threads), "--loop", str(model), str(tokenizer)]


def run_loop(model: Path, tokenizer_file: Path, threads: int) -> None:
    """Label lines of stdin the plain way."""
    import openvino  # noqa: PLC0415 - the loop's own process only

    properties = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(model, "CPU", properties).create_infer_request()
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(512)
    for batch in _batches([line.rstrip("\n") for line in sys.stdin]):
        encoded = tokenizer.encode_batch(batch)
        ids = np.array([each.ids for each in encoded])
        mask = np.array([each.attention_mask for each in encoded])
        logits = request.infer({0: ids, 1: mask})[0]
        for text, row in zip(batch, logits, strict=True):
            shares = np.exp(row - row.max())
            sys.stdout.write(f"{row.argmax()}\t{(shares / shares.sum()).max():.4f}\t{text}\n")


def _batches(lines: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(lines), _ROWS):
        yield lines[start : start + _ROWS]


if __name__ == "__main__":
    main()
