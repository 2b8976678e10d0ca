"""How close a bundle comes to the original definition in torch, measured through the real runtime, and the gate on it."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer

from sentiment_edge_export.parity_texts import parity_texts
from sentiment_edge_runtimes.batching import MAX_ROWS, pad
from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.engine import open_engine
from sentiment_edge_runtimes.numerics import Condition, drift, softmax
from sentiment_edge_runtimes.tokenization import TextTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.bundle import Bundle, Precision

ALONE, MIXED, PADDED = "one by one", "mixed batches", "padded to the longest"
_WORST = 5


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


BOUNDS: dict[Precision, Bounds] = {
    "fp32": Bounds(agreement=1.0, mean_drift=1e-4, logit_difference=1e-4, batch_difference=1e-4),
    "int8": Bounds(agreement=0.99, mean_drift=0.01, logit_difference=np.inf, batch_difference=1e-5),
}


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


def run_reference(classifier: TorchClassifier, tokenizer: Tokenizer) -> Reference:
    """Run the original definition over the parity texts, one unpadded text at a time."""
    texts = tuple(parity_texts())
    truncating = Tokenizer.from_str(tokenizer.to_str())
    truncating.enable_truncation(classifier.max_length)
    ids = [torch.tensor(truncating.encode(text).ids) for text in texts]
    return Reference(texts, torch.stack([classifier.reference(row) for row in ids]).numpy())


def measure(bundle: Bundle, reference: Reference) -> Measurement:
    """Compare a bundle with torch, texts alone, in batches of mixed lengths, and padded to the longest length."""
    texts = reference.texts
    runtime = Classifier(bundle)
    alone = np.concatenate([runtime.logits([text]) for text in texts])
    shuffled = random.Random(0).sample(range(len(texts)), len(texts))  # noqa: S311 - lengths, not secrets
    mixed = [shuffled[start : start + MAX_ROWS] for start in range(0, len(texts), MAX_ROWS)]
    measured = {
        ALONE: alone,
        MIXED: _run(bundle, texts, mixed),
        PADDED: _run(bundle, texts, [[row] for row in range(len(texts))], bundle.max_length),
    }
    conditions = tuple(Condition.of(name, logits, reference.logits) for name, logits in measured.items())
    batch_difference = max(float(np.abs(logits - alone).max()) for logits in measured.values())
    failures = tuple(_failures(BOUNDS[bundle.precision], conditions, batch_difference))
    worst = tuple(_worst(bundle.labels, reference, measured))
    return Measurement(ParityReport(conditions, batch_difference, failures, worst), alone)


def _run(bundle: Bundle, texts: Sequence[str], groups: Sequence[Sequence[int]], length: int = 0) -> NDArray[np.float32]:
    """Run each group of texts as one batch, padded to the group's longest or to `length`."""
    engine = open_engine(bundle, "onnxruntime", threads=1)
    ids = [tokens.ids for tokens in TextTokenizer(bundle, threads=1).encode(texts)]
    logits = np.empty((len(texts), len(bundle.labels)), dtype=np.float32)
    for group in groups:
        longest = max(length, *(len(ids[row]) for row in group))
        padded = next(allowed for allowed in bundle.lengths if allowed >= longest)
        logits[list(group)] = engine(*pad([ids[row] for row in group], padded, bundle.pad_id)).logits
    return logits


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


def _worst(labels: Sequence[str], reference: Reference, measured: dict[str, NDArray[np.float32]]) -> Iterator[WorstText]:
    drifts = np.nan_to_num([drift(logits, reference.logits) for logits in measured.values()], nan=np.inf)
    probabilities = [softmax(logits) for logits in measured.values()]
    expected = softmax(reference.logits)
    for row in drifts.max(axis=0).argsort(kind="stable")[::-1][:_WORST].tolist():
        condition = int(drifts[:, row].argmax())
        yield WorstText(
            text=reference.texts[row],
            drift=float(drifts[condition, row]),
            torch=dict(zip(labels, expected[row].tolist(), strict=True)),
            bundle=dict(zip(labels, probabilities[condition][row].tolist(), strict=True)),
        )
