"""How close a bundle comes to the original definition in torch, measured through the real runtime."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from sentiment_edge_export.parity.report import Bounds, ParityReport, WorstText
from sentiment_edge_export.parity.texts import parity_texts
from sentiment_edge_runtimes.batching import MAX_ROWS, pad, padded_length
from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.comparison import Condition, Run
from sentiment_edge_runtimes.engines.engine import open_engine
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.numerics import drift, probabilities
from sentiment_edge_runtimes.tokenization import TextTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import EngineName

_WORST = 5
_SAMPLE_EVERY = 4


@dataclass(frozen=True, slots=True)
class Reference:
    """What torch says of the parity texts; computed once, whatever is compared with it."""

    texts: tuple[str, ...]
    logits: NDArray[np.float32]
    """[texts, classes]"""
    public: int
    """So many of the texts, the first ones, are the project's own; the others are the user's."""

    def sample(self) -> Reference:
        """Return every fourth text of the project's own: enough to tell a wrong graph from a right one."""
        rows = slice(0, self.public, _SAMPLE_EVERY)
        texts = self.texts[rows]
        return Reference(texts, self.logits[rows], len(texts))


def run_reference(classifier: TorchClassifier, checkpoint: Checkpoint, own_texts: Sequence[str] = ()) -> Reference:
    """Run the original definition over the parity texts and the user's own, one unpadded text at a time."""
    public = parity_texts()
    texts = (*public, *own_texts)
    ids = [torch.tensor(checkpoint.tokenizer.ids(text, classifier.max_length, classifier.truncation)) for text in texts]
    return Reference(texts, torch.stack([classifier.reference(row) for row in ids]).numpy(), len(public))


class Measurement(NamedTuple):
    """A report, and the bundle's logits that a later run may be compared with."""

    report: ParityReport
    logits: NDArray[np.float32]
    """[texts, classes], of the texts one by one."""


class _Outcome(NamedTuple):
    """What one way of running the bundle gave."""

    name: str
    rows: NDArray[np.int64]
    """Which texts."""
    logits: NDArray[np.float32]
    """[rows, classes]"""
    lengths: NDArray[np.int64] | None = None
    """[rows], what each text was padded to, where that is of interest."""


def measure(bundle: Bundle, reference: Reference, bounds: Bounds, engine: EngineName = "onnxruntime") -> Measurement:
    """Compare a bundle with torch: texts alone, in batches of mixed lengths, and padded to each length that it pads to.

    A condition that misses a bound is the last one: the bundle is refused whatever the others are like.
    """
    run = Run(engine, bundle.manifest.computed_in(engine), bundle.manifest.activation)
    outcomes: list[_Outcome] = []
    conditions: list[Condition] = []
    failures: list[str] = []
    batch_difference = 0.0
    for outcome in _run(bundle, engine, reference.texts):
        outcomes.append(outcome)
        conditions.append(Condition.of(outcome.name, outcome.logits, reference.logits[outcome.rows], run))
        moved = float(np.abs(outcome.logits - outcomes[0].logits[outcome.rows]).max())
        batch_difference = max(batch_difference, moved)
        failures += bounds.failures(conditions[-1], moved)
        if failures:
            break
    alone = outcomes[0].logits
    report = ParityReport(
        conditions=tuple(conditions),
        by_length=tuple(_by_length(outcomes[-1], reference, run)),
        batch_difference=batch_difference,
        bounds=bounds,
        failures=tuple(failures),
        worst=tuple(_worst(bundle, reference, outcomes)),
        torch=probabilities(reference.logits, bundle.manifest.activation),
        bundle=probabilities(alone, bundle.manifest.activation),
    )
    return Measurement(report, alone)


def _run(bundle: Bundle, engine_name: EngineName, texts: Sequence[str]) -> Iterator[_Outcome]:
    """Run the texts one by one, in mixed batches, and each padded to one of the lengths that it fits, these in turn."""
    classifier = Classifier(bundle, engine=engine_name)  # as a user would
    yield _Outcome("one by one", np.arange(len(texts)), np.concatenate([classifier.logits([text]) for text in texts]))
    engine = open_engine(bundle, engine_name, usable_cpus())
    ids = [tokens.ids for tokens in TextTokenizer(bundle, threads=1).encode(texts)]

    def run(group: Sequence[int], length: int) -> NDArray[np.float32]:
        return engine(*pad([ids[row] for row in group], length, bundle.manifest.pad_id, bundle.manifest.batch)).logits[
            : len(group)
        ]

    size = bundle.manifest.batch or MAX_ROWS
    shuffled = random.Random(0).sample(range(len(texts)), len(texts))  # noqa: S311 - lengths, not secrets
    groups = [shuffled[at : at + size] for at in range(0, len(texts), size)]
    longest = [padded_length(max(len(ids[row]) for row in group), bundle.manifest.lengths) for group in groups]
    yield _Outcome("mixed batches", np.array(shuffled), np.concatenate([*map(run, groups, longest)]))
    fitting = [[length for length in bundle.manifest.lengths if length >= len(tokens)] for tokens in ids]
    lengths = np.array([each[row % len(each)] for row, each in enumerate(fitting)])
    padded = np.concatenate([run([row], length) for row, length in enumerate(lengths.tolist())])
    yield _Outcome("padded", np.arange(len(texts)), padded, lengths)


def _by_length(outcome: _Outcome, reference: Reference, run: Run) -> Iterator[Condition]:
    """Yield the texts of an outcome by what they were padded to."""
    for length in () if outcome.lengths is None else np.unique(outcome.lengths):
        rows = outcome.lengths == length
        yield Condition.of(f"padded to {length}", outcome.logits[rows], reference.logits[outcome.rows[rows]], run)


def _worst(bundle: Bundle, reference: Reference, runs: Sequence[_Outcome]) -> Iterator[WorstText]:
    drifts = np.zeros((len(runs), len(reference.texts)))
    for run, of_texts in zip(runs, drifts, strict=True):
        moved = drift(run.logits, reference.logits[run.rows], bundle.manifest.activation)
        of_texts[run.rows] = np.nan_to_num(moved, nan=np.inf)
    expected = probabilities(reference.logits, bundle.manifest.activation)
    for row in drifts.max(axis=0).argsort(kind="stable")[::-1][:_WORST].tolist():
        run = runs[int(drifts[:, row].argmax())]
        found = probabilities(run.logits[run.rows == row], bundle.manifest.activation)[0]
        yield WorstText(
            text=reference.texts[row],
            drift=float(drifts[:, row].max()),
            torch=dict(zip(bundle.manifest.labels, expected[row].tolist(), strict=True)),
            bundle=dict(zip(bundle.manifest.labels, found.tolist(), strict=True)),
            private=row >= reference.public,
        )
