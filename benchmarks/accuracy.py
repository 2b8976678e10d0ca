"""Accuracy of a checkpoint's bundles, fp32 and int8, on labelled sentences.

python benchmarks/accuracy.py --model gru-mini --data ../shared/data/sst2/dev.tsv
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import get_args

from measuring import describe_machine, read_labelled

from sentiment_edge import load
from sentiment_edge.export import export_model
from sentiment_edge_runtimes.bundle import Precision


def main() -> None:
    """Export, label, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="what `sentiment-edge export --model` takes")
    parser.add_argument("--data", type=Path, required=True, help="file with a header, separated by commas (.csv) or tabs")
    parser.add_argument("--text", default="sentence", help="column of the texts")
    parser.add_argument("--label", default="label", help="column of the labels: names, or indices of the classes")
    arguments = parser.parse_args()
    rows = read_labelled(arguments.data, arguments.text, arguments.label)
    print(describe_machine("torch", "onnxruntime"))
    with tempfile.TemporaryDirectory() as scratch:
        for precision in get_args(Precision):
            report = export_model(arguments.model, precision=precision, output=f"{scratch}/{precision}")
            classifier = load(report.bundle.root)
            predictions = classifier([sentence for sentence, _ in rows])
            known = {label.lower(): label for label in classifier.labels}
            known |= {str(index): label for index, label in enumerate(classifier.labels)}
            expected = [known[label.lower()] for _, label in rows]
            right = sum(label == prediction.label for label, prediction in zip(expected, predictions, strict=True))
            size = sum(size for name, size in report.bundle.files.items() if name.startswith("onnx/"))
            print(f"{precision}: {right / len(rows):.4f} of {len(rows)}, {size / 1e6:.2f} MB of ONNX")


if __name__ == "__main__":
    main()
