"""Accuracy of checkpoints' bundles, fp32 and int8, each on labelled texts: whole files, and never more than 0.5 points apart.

python benchmarks/accuracy.py gru-mini sst2/dev.tsv CHECKPOINT_FOLDER imdb/test.tsv
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measuring import describe_machine

from sentiment_edge import load
from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge.data.labelled import Selection
from sentiment_edge.evaluation.run import evaluate_classifier
from sentiment_edge.export import export_model

if TYPE_CHECKING:
    from sentiment_edge_runtimes.vocabulary import Precision

_MOST_LOST = 0.005


class Accuracy(NamedTuple):
    """Of one bundle."""

    rows: int
    right: float
    """Share."""
    onnx_bytes: int
    fp32_share: float
    """Of the weights that int8 is for."""


def main() -> int:
    """Export, label, print a table; return 1 if int8 loses too much anywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+", metavar="MODEL DATA", help="what `export --model` and `evaluate --data` take")
    pairs = parser.parse_args().pairs
    if len(pairs) % 2:
        parser.error("every model needs its data")
    print(describe_machine("torch", "onnxruntime"))
    print(
        "| model | data | rows | fp32 | int8 | ONNX, fp32 and int8 | int8 kept in fp32 |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    lost = 0.0
    for model, data in zip(pairs[::2], pairs[1::2], strict=True):
        fp32, int8 = measure(model, Path(data), "fp32"), measure(model, Path(data), "int8")
        accuracy = f"{fp32.rows:,} | {fp32.right:.2%} | {int8.right:.2%}"
        sizes = f"{fp32.onnx_bytes / 1e6:.1f} and {int8.onnx_bytes / 1e6:.1f} MB | {int8.fp32_share:.1%} of the weights"
        print(f"| {Path(model).name} | {Path(data).name} | {accuracy} | {sizes} |", flush=True)
        lost = max(lost, fp32.right - int8.right)
    return 1 if lost > _MOST_LOST else 0


def measure(model: str, data: Path, precision: Precision) -> Accuracy:
    """Export to a folder that goes, and label every row of the data."""
    with tempfile.TemporaryDirectory() as scratch:
        report = export_model(model, precision=precision, output=f"{scratch}/{precision}")
        with TerminalProgress() as progress:
            figures = evaluate_classifier(load(report.bundle.root), data, Selection(), progress).run.evaluation
    size = sum(size for name, size in report.bundle.manifest.files.items() if name.startswith("onnx/"))
    return Accuracy(figures.rows, figures.accuracy, size, sum(weight.share for weight in report.fp32))


if __name__ == "__main__":
    sys.exit(main())
