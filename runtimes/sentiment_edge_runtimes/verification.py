"""Proof that a bundle gives on this machine what it gave when it was built."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge_runtimes.bundle import GOLDEN, Bundle
from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.errors import BundleInvalid
from sentiment_edge_runtimes.numerics import Condition

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_LOGIT_DIFFERENCE = 1e-4
"""Of fp32 bundles: other kernels sum in another order."""
MAX_DRIFT = 2e-3
"""Of int8 bundles: on another CPU a rounding may fall the other way."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome for one bundle, its files already found intact."""

    bundle: Bundle
    condition: Condition

    @property
    def passed(self) -> bool:
        """Whether the golden outputs were met."""
        if self.bundle.precision == "fp32":
            return self.condition.max_logit_difference <= MAX_LOGIT_DIFFERENCE
        return self.condition.max_drift <= MAX_DRIFT


def verify(root: Path, *, threads: int | None = None) -> Verification:
    """Check a bundle's files, then its logits against those it gave when it was built.

    Raises:
        BundleError: the bundle cannot be opened or has no golden outputs.
        EngineError: the engine failed.
    """
    bundle = Bundle.open(root)
    texts, golden = _read_golden(bundle)
    classifier = Classifier(bundle, threads=threads)
    logits = np.concatenate([classifier.logits([text]) for text in texts])  # alone, as they were when it was built
    return Verification(bundle, Condition.of("golden", logits, golden, bundle.activation))


def _read_golden(bundle: Bundle) -> tuple[list[str], NDArray[np.float32]]:
    try:
        lines = bundle.require(GOLDEN).read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines if line]
        texts = [str(row["text"]) for row in rows]
        logits = np.array([row["logits"] for row in rows], dtype=np.float32)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BundleInvalid(bundle.root, f"{GOLDEN} is malformed ({error})") from error
    if logits.shape != (len(texts), len(bundle.labels)) or not texts:
        raise BundleInvalid(bundle.root, f"{GOLDEN} does not hold logits of {len(bundle.labels)} classes")
    return texts, logits
