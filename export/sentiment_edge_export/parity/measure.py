"""Measuring the parity between a bundle and the original definition in torch, through the real runtime."""

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
from sentiment_edge_runtimes.comparison import Condition, LogitsOrigin
from sentiment_edge_runtimes.engines.loader import open_engine
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
    """The answers of torch to the parity texts, computed once for all comparisons."""

    texts: tuple[str, ...]
    logits: NDArray[np.float32]
    """[texts, classes]"""
    public: int
    """The number of texts that are the project's own; they come first, then the user's."""

    def sample(self) -> Reference:
        """Return a quarter of the project's own texts, enough to tell a wrong graph from a right one."""
        rows = slice(0, self.public, _SAMPLE_EVERY)
        texts = self.texts[rows]
        return Reference(texts, self.logits[rows], len(texts))


def run_reference(classifier: TorchClassifier, checkpoint: Checkpoint, own_texts: Sequence[str] = ()) -> Reference:
    """Run the original definition on the parity texts and the user's own, one unpadded text at a time."""
    public = parity_texts()
    texts = (*public, *own_texts)
    ids = [torch.tensor(checkpoint.tokenizer.ids(text, classifier.max_length, classifier.truncation)) for text in texts]
    return Reference(texts, torch.stack([classifier.reference(row) for row in ids]).numpy(), len(public))


class Measurement(NamedTuple):
    """A parity report and the logits behind it."""

    report: ParityReport
    logits: NDArray[np.float32]
    """The bundle's logits of the texts one by one, [texts, classes]."""


class _Outcome(NamedTuple):
    """The result of one way of running the bundle."""

    name: str
    rows: NDArray[np.int64]
    """Indices of the texts."""
    logits: NDArray[np.float32]
    """The bundle's logits, [rows, classes]."""
    lengths: NDArray[np.int64] | None = None
    """The length that each text was padded to, [rows]; None where a report by length makes no sense."""


def measure(bundle: Bundle, reference: Reference, bounds: Bounds, engine: EngineName) -> Measurement:
    """Compare a bundle with torch: texts one by one, in batches of mixed lengths, and padded to each of its lengths.

    Measuring stops at the first condition that misses a bound, because the bundle is refused then.
    """
    run = LogitsOrigin(engine, bundle.manifest.computed_in(engine), bundle.manifest.activation)
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
    """Run the texts one by one, in mixed batches, and each padded to a length that it fits into, taking these in turn."""
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


def _by_length(outcome: _Outcome, reference: Reference, run: LogitsOrigin) -> Iterator[Condition]:
    """Yield the condition of each length, over the texts that were padded to it."""
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
