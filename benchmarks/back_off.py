"""int8 on a model that is hard for it: refused as it is, then with the worst weights back in fp32.

    python benchmarks/back_off.py --checkpoint DISTILBERT_FOLDER

In every layer, a few channels of the attention's values are multiplied by 50, and the weights that read them divided by
50: the same function in fp32, but what these channels leave of the range of int8 is too little for the others.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import torch

from sentiment_edge.export import ExportReport, Int8Options, ParityError, export_model
from sentiment_edge_runtimes.vocabulary import QUANTIZATIONS

_CHANNELS, _FACTOR = slice(0, 3), 50


def main() -> None:
    """Print both outcomes, for each scheme."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of a DistilBERT with pytorch_model.bin")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "with-outliers"
        shutil.copytree(arguments.checkpoint, checkpoint)
        scale_channels(checkpoint / "pytorch_model.bin")
        for scheme in QUANTIZATIONS:
            for share in (0.0, 0.25):
                print(f"\n{scheme}, at most {share:.0%} of the weights in fp32")
                try:
                    report = export_model(
                        str(checkpoint),
                        precision="int8",
                        output=Path(folder) / f"{scheme}-{share}",
                        int8=Int8Options(scheme, max_fp32_share=share),
                    )
                except ParityError as error:
                    print(f"  {error.report.conditions[0].agreement:.2%}, refused: {error}")
                else:
                    print_report(report)


def scale_channels(weights: Path) -> None:
    """Give the attention's values a few large channels."""
    tensors = torch.load(weights, weights_only=True)
    for name, tensor in tensors.items():
        if "v_lin" in name:
            tensor[_CHANNELS] *= _FACTOR
        elif "attention.out_lin.weight" in name:
            tensor[:, _CHANNELS] /= _FACTOR
    torch.save(tensors, weights)


def print_report(report: ExportReport) -> None:
    """Print what passed."""
    alone = report.parity.conditions[0]
    size = report.bundle.manifest.files["onnx/model_quantized.onnx"] / 1e6
    print(f"  {alone.agreement:.2%}, mean drift {alone.mean_drift:.4f}, {size:.1f} MB; in fp32:")
    for each in report.fp32:
        print(f"    {each}")


if __name__ == "__main__":
    main()
