"""The teacher's answers to many texts, by the product itself: exported in int8, then run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge import load
from sentiment_edge.export import export_model
from sentiment_edge_runtimes.bundle.contents import sha256
from tools.default_model.progress import fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_PART = 50_000
"""Texts between two savings."""
_SHORT = 12
"""Digits of a teacher's checksum in the name of its bundle's folder."""
_LEAST = 1e-4
"""Probabilities below this are taken for it."""


def answer(teacher: Path, texts: Sequence[str], file: Path) -> NDArray[np.float32]:
    """Return how much more positive than negative each text is, the difference of logits.

    Args:
        teacher: folder of its checkpoint; its bundle is written beside it.
        texts: what to ask about.
        file: keeps the answers, `.npz`. It goes on after what it has, if these are the same teacher's to the same texts.
    """
    name = sha256(teacher / "model.safetensors")
    bundle = teacher.with_name(f"teacher-int8-{name[:_SHORT]}")
    if not bundle.is_dir():
        export_model(str(teacher), precision="int8", output=bundle)
    classifier = load(bundle)
    done = _kept(file, name, texts)
    start = time.monotonic()
    for at in range(len(done), len(texts), _PART):
        found = [each.scores[classifier.labels[1]] for each in classifier.stream(texts[at : at + _PART])]
        positive = np.clip(np.array(found, np.float64), _LEAST, 1 - _LEAST)
        done = np.concatenate([done, np.log(positive / (1 - positive)).astype(np.float32)])
        part = file.with_suffix(".new.npz")
        np.savez(part, margins=done, asked=fingerprint([name, *texts[: len(done)]]))
        part.replace(file)
        print(f"answers: {len(done)}/{len(texts)}, {time.monotonic() - start:.0f} s", flush=True)
    return done


def _kept(file: Path, teacher: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the answers of an earlier run, none if they are another teacher's or to other texts."""
    if file.exists():
        with np.load(file) as kept:
            margins: NDArray[np.float32] = kept["margins"]
            if len(margins) <= len(texts) and str(kept["asked"]) == fingerprint([teacher, *texts[: len(margins)]]):
                return margins
        print(f"answers: {file} belongs to another teacher or other texts; begun anew", flush=True)
    return np.empty(0, np.float32)
