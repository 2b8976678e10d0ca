"""The bundles to run: the default model in fp32 and int8, and an encoder in both."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from helpers.tiny_encoders import tiny_model, write_encoder

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge_runtimes.vocabulary import Precision

_WIDE = {"dim": 128, "hidden_dim": 512, "n_heads": 4}
"""So that every weight is large enough to be quantized."""


def make_bundles(folder: Path, checkpoint: Path | None) -> list[Path]:
    """Export into a folder and return the bundles.

    Args:
        folder: where bundles of earlier runs are replaced.
        checkpoint: a trained encoder; None for a tiny one of random weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if checkpoint is None:
        checkpoint = write_encoder(folder / "tiny-encoder", tiny_model("distilbert", **_WIDE))
    encoder = [_export(str(checkpoint), precision, folder / f"{checkpoint.name}-{precision}") for precision in ("fp32", "int8")]
    return [_export("gru-mini", "fp32", folder / "gru-mini-fp32"), DEFAULT_BUNDLE, *encoder]


def _export(model: str, precision: Precision, output: Path) -> Path:
    command = [sys.executable, "-m", "sentiment_edge", "export", "--model", model, "--output", str(output), "--overwrite"]
    subprocess.run([*command, *(["--int8"] if precision == "int8" else [])], check=True, stdout=subprocess.DEVNULL)
    return output
