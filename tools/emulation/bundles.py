"""The bundles to run: the default model in fp32 and int8, and an encoder in both, int8 with static scales too."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from helpers.tiny_encoders import tiny_model, write_encoder

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from pathlib import Path

_WIDE = {"dim": 128, "hidden_dim": 512, "n_heads": 4}
"""So that every weight is large enough to be quantized."""
_PRECISIONS = {"fp32": (), "int8": ("--int8",), "static": ("--int8", "--quantization", "static")}
"""The encoder's bundles: what their names end with, and the flags of their exports."""


def make_bundles(folder: Path, checkpoint: Path | None) -> list[Path]:
    """Export into a folder and return the bundles.

    Args:
        folder: where bundles of earlier runs are replaced.
        checkpoint: a trained encoder; None for a tiny one of random weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if checkpoint is None:
        checkpoint = write_encoder(folder / "tiny-encoder", tiny_model("distilbert", **_WIDE))
    encoder = [_export(str(checkpoint), folder / f"{checkpoint.name}-{name}", *flags) for name, flags in _PRECISIONS.items()]
    return [_export("gru-mini", folder / "gru-mini-fp32"), DEFAULT_BUNDLE, *encoder]


def _export(model: str, output: Path, *flags: str) -> Path:
    command = [sys.executable, "-m", "sentiment_edge", "export", "--model", model, "--output", str(output), "--overwrite"]
    subprocess.run([*command, *flags], check=True, stdout=subprocess.DEVNULL)
    return output
