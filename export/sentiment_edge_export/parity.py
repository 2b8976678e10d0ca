"""How close a bundle comes to the original definition in torch, measured through the real runtime, and the gate on it."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from sentiment_edge_export.parity_texts import parity_texts
from sentiment_edge_runtimes.batching import MAX_ROWS, pad, padded_length
from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.engine import open_engine
from sentiment_edge_runtimes.numerics import Condition, drift, probabilities
from sentiment_edge_runtimes.threads import usable_cpus
from sentiment_edge_runtimes.tokenization import TextTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_export.checkpoint import Checkpoint
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.bundle import Bundle

ALONE, MIXED, PADDED = "one by one", "mixed batches", "padded"
_WORST = 5
_PADDED_AT_LEAST, _PADDED_AT_MOST, _LONGEST_EVERY = 128, 512, 16
"""The texts of the padded condition have so many tokens, every so manieth the larger number: enough to show that padding is
not seen, within minutes for a large model."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a bundle must hold to in every condition."""

    agreement: float
    """Least share of texts with torch's label."""
    mean_drift: float
    logit_difference: float
    """Largest difference of a logit to torch's."""
    batch_difference: float
    """Largest difference of a logit between a text alone and the same text in any batch."""


FP32 = Bounds(agreement=1.0, mean_drift=1e-4, logit_difference=1e-4, batch_difference=1e-4)
INT8 = Bounds(agreement=0.99, mean_drift=0.01, logit_difference=np.inf, batch_difference=1e-5)
INT8_PER_TENSOR = replace(INT8, batch_difference=np.inf)
"""Whose texts depend on their neighbours by design."""


@dataclass(frozen=True, slots=True)
class WorstText:
    """A text whose probabilities moved most."""

    text: str
    drift: float
    torch: dict[str, float]
    """Probability of every label in torch."""
    bundle: dict[str, float]
    """The same in the bundle, in the worst condition."""

    def __str__(self) -> str:
        """Return both distributions on one line."""
        sides = (" ".join(f"{label} {share:.4f}" for label, share in side.items()) for side in (self.torch, self.bundle))
        return f"{self.text!r:.60} drift {self.drift:.4f}: torch {', bundle '.join(sides)}"


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The outcome of one measurement."""

    conditions: tuple[Condition, ...]
    batch_difference: float
    failures: tuple[str, ...]
    """The bounds that were missed, in words."""
    worst: tuple[WorstText, ...]

    @property
    def passed(self) -> bool:
        """Whether every bound held."""
        return not self.failures

    def summary(self) -> dict[str, Any]:
        """Return what the manifest holds of the report, as JSON has it."""
        conditions = [asdict(condition) for condition in self.conditions]
        return {"passed": self.passed, "conditions": conditions, "batch_difference": self.batch_difference}

    def whole(self) -> dict[str, Any]:
        """Return all of the report, as JSON has it."""
        return {**self.summary(), "worst": [asdict(text) for text in self.worst]}


class Measurement(NamedTuple):
    """A report, and the bundle's logits that a later run may be compared with."""

    report: ParityReport
    logits: NDArray[np.float32]
    """[texts, classes], of the texts one by one."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What torch says of the parity texts; computed once, whatever is compared with it."""

    texts: tuple[str, ...]
    logits: NDArray[np.float32]
    """[texts, classes]"""


def run_reference(classifier: TorchClassifier, checkpoint: Checkpoint) -> Reference:
    """Run the original definition over the parity texts, one unpadded text at a time."""
    texts = tuple(parity_texts())
    ids = [torch.tensor(checkpoint.tokenizer.ids(text, classifier.max_length, classifier.truncation)) for text in texts]
    return Reference(texts, torch.stack([classifier.reference(row) for row in ids]).numpy())


class _Run(NamedTuple):
    """One way of running the bundle over some of the texts."""

    name: str
    rows: NDArray[np.int64]
    """Which texts."""
    logits: NDArray[np.float32]
    """[rows, classes]"""


def measure(bundle: Bundle, reference: Reference, bounds: Bounds) -> Measurement:
    """Compare a bundle with torch, texts alone, in batches of mixed lengths, and padded to the longest length."""
    alone = _run_alone(bundle, reference.texts)
    runs = [_Run(ALONE, np.arange(len(alone)), alone), *_run_in_batches(bundle, reference.texts)]
    conditions = tuple(Condition.of(name, logits, reference.logits[rows], bundle.activation) for name, rows, logits in runs)
    batch_difference = max(float(np.abs(logits - alone[rows]).max()) for _, rows, logits in runs)
    failures = tuple(_failures(bounds, conditions, batch_difference))
    return Measurement(ParityReport(conditions, batch_difference, failures, tuple(_worst(bundle, reference, runs))), alone)


def _run_alone(bundle: Bundle, texts: Sequence[str]) -> NDArray[np.float32]:
    """Run each text as a user would."""
    classifier = Classifier(bundle)
    return np.concatenate([classifier.logits([text]) for text in texts])


def _run_in_batches(bundle: Bundle, texts: Sequence[str]) -> Iterator[_Run]:
    """Run all texts in batches of mixed lengths, and each with much padding."""
    engine = open_engine(bundle, "onnxruntime", usable_cpus())
    ids = [tokens.ids for tokens in TextTokenizer(bundle, threads=1).encode(texts)]

    def run(group: Sequence[int], length: int = 0) -> NDArray[np.float32]:
        """Run one batch, padded to its longest text or to `length`."""
        longest = max(length, *(len(ids[row]) for row in group))
        padded = padded_length(longest, bundle.lengths)
        return engine(*pad([ids[row] for row in group], padded, bundle.pad_id, bundle.batch)).logits[: len(group)]

    size = bundle.batch or MAX_ROWS
    shuffled = random.Random(0).sample(range(len(texts)), len(texts))  # noqa: S311 - lengths, not secrets
    mixed = [run(shuffled[at : at + size]) for at in range(0, len(texts), size)]
    yield _Run(MIXED, np.array(shuffled), np.concatenate(mixed))
    longest, usual = (min(length, bundle.max_length) for length in (_PADDED_AT_MOST, _PADDED_AT_LEAST))
    padded = [run([row], usual if row % _LONGEST_EVERY else longest) for row in range(len(texts))]
    yield _Run(PADDED, np.arange(len(texts)), np.concatenate(padded))


def _failures(bounds: Bounds, conditions: Sequence[Condition], batch_difference: float) -> Iterator[str]:
    # Each comparison is written so that a NaN fails it.
    for condition in conditions:
        if not condition.agreement >= bounds.agreement:
            yield f"{condition.name}: agreement {condition.agreement:.2%}, at least {bounds.agreement:.0%} needed"
        if not condition.mean_drift <= bounds.mean_drift:
            yield f"{condition.name}: mean drift {condition.mean_drift:.4f}, at most {bounds.mean_drift:g} allowed"
        if not condition.max_logit_difference <= bounds.logit_difference:
            difference = condition.max_logit_difference
            yield f"{condition.name}: a logit differs by {difference:.2g}, {bounds.logit_difference:g} allowed"
    if not batch_difference <= bounds.batch_difference:
        yield f"a text's logits depend on its batch by {batch_difference:.2g}, {bounds.batch_difference:g} allowed"


def _worst(bundle: Bundle, reference: Reference, runs: Sequence[_Run]) -> Iterator[WorstText]:
    drifts = np.zeros((len(runs), len(reference.texts)))
    for run, of_texts in zip(runs, drifts, strict=True):
        moved = drift(run.logits, reference.logits[run.rows], bundle.activation)
        of_texts[run.rows] = np.nan_to_num(moved, nan=np.inf)
    expected = probabilities(reference.logits, bundle.activation)
    for row in drifts.max(axis=0).argsort(kind="stable")[::-1][:_WORST].tolist():
        run = runs[int(drifts[:, row].argmax())]
        found = probabilities(run.logits[run.rows == row], bundle.activation)[0]
        yield WorstText(
            text=reference.texts[row],
            drift=float(drifts[:, row].max()),
            torch=dict(zip(bundle.labels, expected[row].tolist(), strict=True)),
            bundle=dict(zip(bundle.labels, found.tolist(), strict=True)),
        )
