"""Accuracy of a checkpoint's bundles, fp32 and int8, on labelled sentences.

python benchmarks/accuracy.py --model gru-mini --data ../shared/data/sst2/dev.tsv
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import get_args

from measuring import describe_machine

from sentiment_edge import load
from sentiment_edge.evaluating.labelled import Selection
from sentiment_edge.evaluating.running import Listener, evaluate_classifier
from sentiment_edge.export import export_model
from sentiment_edge_runtimes.bundle import Precision


def main() -> None:
    """Export, label, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="what `sentiment-edge export --model` takes")
    parser.add_argument("--data", type=Path, required=True, help="what `sentiment-edge evaluate --data` takes")
    parser.add_argument("--text", help="column of the texts")
    parser.add_argument("--label", help="column of the labels")
    arguments = parser.parse_args()
    selection = Selection(arguments.text, arguments.label)
    print(describe_machine("torch", "onnxruntime"))
    with tempfile.TemporaryDirectory() as scratch:
        for precision in get_args(Precision):
            report = export_model(arguments.model, precision=precision, output=f"{scratch}/{precision}")
            result = evaluate_classifier(load(report.bundle.root), arguments.data, selection, Listener(print, lambda _: None))
            figures = result.run.evaluation
            size = sum(size for name, size in report.bundle.files.items() if name.startswith("onnx/"))
            print(f"{precision}: {figures.accuracy:.4f} of {figures.rows}, {size / 1e6:.2f} MB of ONNX")


if __name__ == "__main__":
    main()
