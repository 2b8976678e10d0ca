"""Speed of OpenVINO's kinds of int8: static scales, or int8 weights with activations quantized while running.

python benchmarks/openvino_int8.py --checkpoint ../distilbert-random
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino
from measuring import describe_machine, interleaved_medians, seconds

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.options import ExportOptions, SourceOptions
from sentiment_edge_export.pipeline import first_token_stats, trace_graph
from sentiment_edge_export.quantization.calibration import calibration_texts, collect_activation_stats
from sentiment_edge_export.quantization.rewrite import int8_recipe, quantize
from sentiment_edge_export.quantization.weights import products
from sentiment_edge_export.targets import find_target
from sentiment_edge_runtimes.batching import pad

if TYPE_CHECKING:
    from collections.abc import Callable

    import onnx_ir as ir
    from numpy.typing import NDArray

_SHAPES = ((1, 16), (1, 128), (8, 128), (32, 32))
_TEXTS = 32
"""Calibration texts; more would change the answers, not the speed."""
_DYNAMIC = "DYNAMIC_QUANTIZATION_GROUP_SIZE"
_VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "fp32": ("fp32", {}),
    "int8 weights, fp32 activations": ("weight-only", {_DYNAMIC: 0}),
    "int8 weights, activations in groups of 32": ("weight-only", {_DYNAMIC: 32}),
    "int8 weights, activations in groups of 128": ("weight-only", {_DYNAMIC: 128}),
    "static scales": ("static", {}),
}
"""The graph, and what OpenVINO is told."""


def main() -> None:
    """Make the graphs, time all in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of an encoder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    print(describe_machine("openvino"), f"{arguments.threads} threads", sep=", ")
    with tempfile.TemporaryDirectory() as scratch:
        files = write_graphs(arguments.checkpoint, Path(scratch))
        runs = {name: open_model(files[graph], arguments.threads, more) for name, (graph, more) in _VARIANTS.items()}
        for rows, length in _SHAPES:
            ids = np.random.default_rng((rows, length)).integers(999, 9999, (rows, length))
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            logits = {name: run(feeds) for name, run in runs.items()}
            medians = interleaved_medians(
                {name: seconds(partial(run, feeds), 5) for name, run in runs.items()}, arguments.rounds
            )
            print(f"\n{rows}x{length}")
            for name, median in medians.items():
                off = np.abs(logits[name] - logits["fp32"]).max()
                print(f"  {name:<44} {1000 * median:>8.2f} ms  speed x{medians['fp32'] / median:.2f}  logits off by {off:.1e}")


def write_graphs(checkpoint: Path, folder: Path) -> dict[str, Path]:
    """Write the fp32 graph and both kinds of int8, for OpenVINO."""
    target = find_target("openvino")
    options = ExportOptions("int8", [target.ENGINE], SourceOptions(offline=True))
    found = find_checkpoint(str(checkpoint), options.source)
    classifier = load_classifier(found, options)
    texts = calibration_texts()[:_TEXTS]
    ids = [found.tokenizer.ids(text, classifier.max_length, classifier.truncation) for text in texts]
    batches = [pad([row], len(row), classifier.pad_id) for row in ids]
    model = trace_graph(classifier, classifier.make_form(target.FUSES_ATTENTION), target, options)
    stats = collect_activation_stats(model, products(model), batches)
    stats |= first_token_stats(model, stats)
    graphs: dict[str, ir.Model] = {"fp32": model}
    graphs["weight-only"] = quantize(model, int8_recipe(model, "weight-only", {}, batches))
    graphs["static"] = quantize(model, int8_recipe(model, "static", stats, batches, integer_products=False))
    files = {}
    for name, graph in graphs.items():
        (folder / name).mkdir()
        files[name] = folder / name / target.write(folder / name, graph, "int8")
    return files


def open_model(path: Path, threads: int, more: dict[str, Any]) -> Callable[[dict[str, NDArray[np.int64]]], NDArray[np.float32]]:
    """Compile as the runtime does, but for what is told."""
    properties = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32", **more}
    request = openvino.Core().compile_model(path, "CPU", properties).create_infer_request()

    def run(feeds: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = request.infer(feeds)["logits"]
        return logits.copy()

    return run


if __name__ == "__main__":
    main()
