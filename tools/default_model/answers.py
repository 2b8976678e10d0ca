"""The teacher's answers to many texts, by the product itself: exported in int8, then run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge import load
from sentiment_edge.export import export_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_PART = 50_000
"""Texts between two savings."""
_LEAST = 1e-4
"""Probabilities below this are taken for it."""


def answer(teacher: Path, texts: Sequence[str], file: Path) -> NDArray[np.float32]:
    """Return how much more positive than negative each text is, the difference of logits; goes on after what the file has."""
    bundle = teacher.with_name("teacher-int8")
    if not bundle.is_dir():
        export_model(str(teacher), precision="int8", output=bundle)
    classifier = load(bundle)
    done = np.load(file) if file.exists() else np.empty(0, np.float32)
    start = time.monotonic()
    for at in range(len(done), len(texts), _PART):
        found = [each.scores[classifier.labels[1]] for each in classifier.stream(texts[at : at + _PART])]
        positive = np.clip(np.array(found, np.float64), _LEAST, 1 - _LEAST)
        done = np.concatenate([done, np.log(positive / (1 - positive)).astype(np.float32)])
        np.save(file, done)
        print(f"answers: {len(done)}/{len(texts)}, {time.monotonic() - start:.0f} s", flush=True)
    return done
