"""The models that are measured, and what of each."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from suite.contestants.contestant import Unavailable
from suite.contestants.registry import (
    CTRANSLATE2,
    ENCODER_PEERS,
    EXPORTERS,
    IMPORTS,
    NNCF,
    OURS,
    OURS_ONNXRUNTIME,
    TORCH_GRU,
    TRANSFORMERS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suite.contestants.contestant import Contestant
    from suite.settings import Settings

    Shape = tuple[int, int]

MAKER = Path(__file__).parents[2] / "tools/random_checkpoint.py"
VOCABULARY = "data/bert-vocab/bert-base-uncased.vocab.txt"
SHAPES = ((1, 8), (1, 16), (1, 32), (1, 128), (8, 128), (32, 32))
"""Texts and tokens of the batches whose latency is measured."""


@dataclass(frozen=True)
class Subject:
    """A model."""

    key: str
    title: str
    source: str
    """A name that `export` knows, a folder in the shared one, or `random:` and a shape of `tools/random_checkpoint.py`."""
    contestants: tuple[Contestant, ...]
    shapes: tuple[Shape, ...] = ()
    texts: Mapping[str, int] | None = None
    """The number of texts of each data set that bulk runs label."""
    trained_on: str = ""
    """The data set whose labels it gives; accuracy is measured on it."""
    starts: bool = True
    """Whether fresh processes are measured."""

    def checkpoint(self, settings: Settings) -> str:
        """Return the folder or the name of its checkpoint; random ones are made."""
        kind, _, shape = self.source.rpartition(":")
        if kind == "random":
            return _random(shape, settings)
        if "/" not in self.source:
            return self.source
        folder = settings.shared / self.source
        if not folder.is_dir():
            raise Unavailable(f"there is no {self.source} in the shared folder")
        return str(folder)


def _random(shape: str, settings: Settings) -> str:
    folder = settings.scratch / f"random-{shape}"
    vocabulary = settings.shared / VOCABULARY
    if not vocabulary.is_file():
        raise Unavailable(f"there is no {VOCABULARY} in the shared folder")
    if not (folder / "config.json").is_file():
        options = ["--shape", shape, "--vocab", str(vocabulary), "--output", str(folder)]
        subprocess.run([sys.executable, str(MAKER), *options], check=True, stdout=subprocess.DEVNULL)
    return str(folder)


_GRU_TEXTS = {"SST-2": 872, "tweets": 872, "reviews": 200}

USUAL = (
    Subject(
        "default",
        "The default model, a GRU of 2.8 M parameters",
        "gru-mini",
        (OURS_ONNXRUNTIME, TORCH_GRU, IMPORTS),
        SHAPES,
        _GRU_TEXTS,
        "SST-2",
    ),
    Subject(
        "gru",
        "The published GRU's shape, 4.3 M parameters, trained on SST-2",
        "checkpoints/gru-sst2",
        (*OURS, TORCH_GRU),
        SHAPES,
        _GRU_TEXTS,
        "SST-2",
    ),
    Subject(
        "distilbert",
        "DistilBERT's shape, 67 M parameters, random weights",
        "random:distilbert",
        (*OURS, *ENCODER_PEERS),
        SHAPES,
        {"SST-2": 160, "tweets": 160, "reviews": 20},
    ),
    Subject(
        "distilbert-mini",
        "DistilBERT of 6 layers of 384, 23 M parameters, trained on IMDb",
        "checkpoints/distilbert-mini-imdb",
        (*OURS, *ENCODER_PEERS),
        texts={"reviews": 150},
        trained_on="reviews",
        starts=False,
    ),
)
LARGE = (
    Subject(
        "electra-large",
        "ELECTRA-large's shape, 338 M parameters, random weights",
        "random:electra-large",
        (*OURS, *TRANSFORMERS, EXPORTERS, NNCF, CTRANSLATE2),
        ((1, 16), (1, 128), (8, 128)),
        {"SST-2": 48},
    ),
)
