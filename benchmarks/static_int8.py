"""int8 bundles of one encoder in ONNX Runtime against each other: CPU time at one thread, and closeness to fp32.

    python benchmarks/static_int8.py speed PER_TOKEN_BUNDLE STATIC_BUNDLE
    python benchmarks/static_int8.py closeness FP32_BUNDLE PER_TOKEN_BUNDLE STATIC_BUNDLE --data dev.tsv

The bundles are made by `sentiment-edge export`, with `--int8 --quantization static` for the last one. Times are minima of
interleaved runs. The gate has proven that fp32 gives torch's logits to 1e-4.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from measuring import describe_machine

from sentiment_edge import load
from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge.data.labelled import Selection, read_labelled
from sentiment_edge.data.labels import match_labels
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.numerics import drift

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

SHAPES = ((1, 16), (1, 32), (1, 128), (8, 128))
IDS = 1000, 9000
"""Of random tokens: any published vocabulary is larger."""


def main() -> None:
    """Measure what was asked for and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", choices=["speed", "closeness"])
    parser.add_argument("bundles", type=Path, nargs="+", help="the first is what the others are compared with")
    parser.add_argument("--data", type=Path, help="for closeness: labelled texts, as `sentiment-edge evaluate` reads them")
    parser.add_argument("--label-column", help="of the data")
    parser.add_argument("--seconds", type=float, default=10.0, help="for speed: how long each shape is measured")
    arguments = parser.parse_args()
    print(describe_machine("onnxruntime"), cpu_features().name, sep=", ")
    if arguments.measured == "speed":
        print_speed(arguments.bundles, arguments.seconds)
    elif arguments.data is None:
        parser.error("closeness needs --data")
    else:
        print_closeness(arguments.bundles, arguments.data, Selection(label_column=arguments.label_column))


def print_speed(bundles: Sequence[Path], budget: float) -> None:
    """Print the least CPU time of each bundle for each shape, and its ratio to the first."""
    engines = {path.name: open_engine(Bundle.open(path), "onnxruntime", threads=1) for path in bundles}
    print(f"| shape | {' | '.join(engines)} |\n|---|{'---|' * len(engines)}")
    for rows, length in SHAPES:
        ids = np.random.default_rng(0).integers(*IDS, (rows, length))
        least = interleaved_minima({name: _runner(engine, ids) for name, engine in engines.items()}, budget)
        first = next(iter(least.values()))
        cells = (f"{1000 * each:.2f} ms, {first / each:.2f} times as fast" for each in least.values())
        print(f"| {rows}x{length} | {' | '.join(cells)} |", flush=True)


def _runner(engine: Callable[[Any, Any], object], ids: NDArray[np.int64]) -> Callable[[], object]:
    mask = np.ones_like(ids)
    return lambda: engine(ids, mask)


def interleaved_minima(runs: Mapping[str, Callable[[], object]], budget: float) -> dict[str, float]:
    """Run each in turn for so many seconds; return the least seconds of CPU that each took."""
    least = dict.fromkeys(runs, float("inf"))
    end = time.perf_counter() + budget
    while time.perf_counter() < end:
        for name, run in runs.items():
            start = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - start)
    return least


def print_closeness(bundles: Sequence[Path], data: Path, selection: Selection) -> None:
    """Print accuracy over labelled texts, and how close the answers are to those of the first bundle."""
    progress = TerminalProgress()
    rows = read_labelled(data, selection, progress)
    print(f"{len(rows)} texts of {data.name}\n| bundle | accuracy | same label | mean drift | 99 % of drifts | in fp32 |")
    print("|---|---|---|---|---|---|")
    reference: NDArray[np.float32] | None = None
    for path in bundles:
        manifest = Bundle.open(path).manifest
        indices = match_labels(Counter(row.label for row in rows), manifest.labels, {}, progress)
        logits = load(path, engine="onnxruntime").logits([row.text for row in rows])
        reference = logits if reference is None else reference
        moved = drift(logits, reference, manifest.activation)
        chosen = logits.argmax(axis=1)
        right = np.mean(chosen == [indices[row.label] for row in rows])
        kept = sum(weight.share for recipe in manifest.quantization.values() for weight in recipe.fp32)
        closeness = f"{np.mean(chosen == reference.argmax(axis=1)):.2%} | {moved.mean():.4f} | {np.quantile(moved, 0.99):.4f}"
        print(f"| {path.name} | {right:.2%} | {closeness} | {kept:.1%} |", flush=True)


if __name__ == "__main__":
    main()
