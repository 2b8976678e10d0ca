"""The program for the emulated CPU: guest.py BUNDLE TEXTS OUTPUT writes the logits of TEXTS (JSON), run as by `predict`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from sentiment_edge import load
from sentiment_edge_runtimes.engines.saturation import products_saturate


def main(bundle: str, texts: str, output: str) -> None:
    """Write logits, and whether products saturate."""
    logits = load(bundle, threads=1).logits(json.loads(Path(texts).read_text("utf-8")))
    np.savez(output, logits=logits, saturates=products_saturate())


if __name__ == "__main__":
    main(*sys.argv[1:])
