"""Measuring the parity between a bundle and the original definition in torch, through the real runtime."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from sentiment_edge_export.parity.batches import alone, longest_within, mixed, padded
from sentiment_edge_export.parity.report import Bounds, ParityReport, WorstText
from sentiment_edge_export.parity.texts import parity_texts
from sentiment_edge_export.quantization.workers import each_on_one_thread
from sentiment_edge_runtimes.batching import LONG
from sentiment_edge_runtimes.comparison import Condition, LogitsOrigin
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.engines.parallel import run_all
from sentiment_edge_runtimes.inference import run_batch
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.numerics import drift, probabilities
from sentiment_edge_runtimes.progress import SILENT, Progress
from sentiment_edge_runtimes.tokenization import TextTokenizer, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.batching import Batch
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Session
    from sentiment_edge_runtimes.vocabulary import EngineName

_WORST = 5
_SAMPLE_EVERY = 4
_SHORT = 256
"""Tokens of a text whose run is not worth to share between CPUs."""
_AT_ONCE = 16
"""Texts that start together; an interrupt waits for them."""


@dataclass(frozen=True)
class Reference:
    """The answers of torch to the parity texts, computed once for all comparisons."""

    texts: tuple[str, ...]
    tokens: tuple[Tokens, ...]
    """Of each text, as the model reads it."""
    logits: NDArray[np.float32]
    """[texts, classes]"""
    public: int
    """The number of texts that are the project's own; they come first, then the user's."""
    longest: int
    """The most tokens that a text is measured with, and padded to."""
    left_out: tuple[str, ...] = ()
    """A sentence on what is not measured, if anything is not."""

    def sample(self) -> Reference:
        """Return a quarter of the project's own texts, enough to tell a wrong graph from a right one."""
        rows = slice(0, self.public, _SAMPLE_EVERY)
        texts = self.texts[rows]
        return Reference(texts, self.tokens[rows], self.logits[rows], len(texts), self.longest, self.left_out)


def run_reference(
    classifier: TorchClassifier,
    checkpoint: Checkpoint,
    own_texts: Sequence[str] = (),
    *,
    fixed_rows: int | None = None,
    progress: Progress = SILENT,
) -> Reference:
    """Run the original definition on the parity texts and the user's own, one unpadded text at a time.

    Texts of more tokens than there is memory for are left out; and those of none, which only a tokenizer that adds no special
    tokens has: the runtime gives no answer to them.
    """
    longest = longest_measured(classifier, fixed_rows)
    public = parity_texts()
    read = [
        (text, index < len(public), _read(classifier, checkpoint, text)) for index, text in enumerate((*public, *own_texts))
    ]
    kept = [each for each in read if 0 < len(each[2].ids) <= longest]
    too_long = sum(len(tokens.ids) > longest for _, _, tokens in read)
    return Reference(
        texts=tuple(text for text, _, _ in kept),
        tokens=tuple(tokens for _, _, tokens in kept),
        logits=_answers(classifier, [tokens.ids for _, _, tokens in kept], progress),
        public=sum(is_public for _, is_public, _ in kept),
        longest=longest,
        left_out=() if longest == classifier.max_length else (_limits(classifier, longest, too_long),),
    )


def _read(classifier: TorchClassifier, checkpoint: Checkpoint, text: str) -> Tokens:
    longest, truncation = classifier.max_length, classifier.truncation
    ids = checkpoint.tokenizer.ids(text, longest, truncation)
    cut = len(ids) == longest and len(checkpoint.tokenizer.ids(text, longest + 1, truncation)) > longest
    return Tokens(ids, truncated=cut)


def _answers(classifier: TorchClassifier, ids: Sequence[list[int]], progress: Progress) -> NDArray[np.float32]:
    """Return torch's logits, [texts, classes]: of short texts several at once, each on its own, and of long ones one by one.

    To share the small steps of one text between CPUs would take longer than the steps, above all where others use them too.
    """
    logits = np.empty((len(ids), len(classifier.labels)), np.float32)
    whole, done = sum(map(len, ids)), 0
    for rows in _at_once([len(each) for each in ids]):
        texts = [torch.tensor(ids[row]) for row in rows]
        run = each_on_one_thread if len(rows) > 1 else map
        logits[[*rows]] = torch.stack([*run(classifier.reference, texts)]).numpy()
        done += sum(map(len, texts))
        progress.share(done / whole)
    return logits


def _at_once(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the rows of texts to run at once, the longest first."""
    order = iter(sorted(range(len(counts)), key=counts.__getitem__, reverse=True))
    for row in order:
        yield (row,) if counts[row] > _SHORT else (row, *islice(order, _AT_ONCE - 1))


def longest_measured(classifier: TorchClassifier, fixed_rows: int | None = None) -> int:
    """Return the most tokens whose attention fits into the memory for it, in a batch of one text or of a fixed number."""
    form = classifier.make_form(False)  # noqa: FBT003 - as `TorchClassifier` has it
    lengths = classifier.grid(form) or range(1, classifier.max_length + 1)
    return longest_within(lengths, classifier.attention_heads, fixed_rows or 1)


def _limits(classifier: TorchClassifier, longest: int, texts: int) -> str:
    """Return the sentence on what is not measured, and on what to do about it."""
    left_out = f"; {texts} longer texts were left out" if texts else ""
    return (
        f"parity was measured on up to {longest} of the {classifier.max_length} tokens that this model reads, as the attention "
        f"of more takes over 2 GB in torch{left_out}; set `max_length` to {longest} for a bundle that reads no more"
    )


class Measurement(NamedTuple):
    """A parity report and the logits behind it."""

    report: ParityReport
    logits: NDArray[np.float32]
    """The bundle's logits of the texts one by one, [texts, classes]."""


class _Outcome(NamedTuple):
    """The result of one way of running the bundle."""

    name: str
    logits: NDArray[np.float32]
    """The bundle's logits, [texts, classes]."""
    lengths: NDArray[np.int64] | None = None
    """The length that each text was padded to, [texts]; None where a report by length makes no sense."""


def measure(
    bundle: Bundle, reference: Reference, bounds: Bounds, engine: EngineName, progress: Progress = SILENT
) -> Measurement:
    """Compare a bundle with torch: texts one by one, in batches of mixed lengths, and padded to each of its lengths.

    Measuring stops at the first condition that misses a bound, because the bundle is refused then.
    """
    run = LogitsOrigin(engine, bundle.manifest.computed_in(engine), bundle.manifest.activation)
    outcomes: list[_Outcome] = []
    conditions: list[Condition] = []
    failures: list[str] = []
    batch_difference = 0.0
    for outcome in _Runs(bundle, engine, reference, progress).outcomes():
        outcomes.append(outcome)
        conditions.append(Condition.of(outcome.name, outcome.logits, reference.logits, run))
        moved = float(np.abs(outcome.logits - outcomes[0].logits).max())
        batch_difference = max(batch_difference, moved)
        failures += bounds.failures(conditions[-1], moved)
        if failures:
            break
    one_by_one = outcomes[0].logits
    report = ParityReport(
        conditions=tuple(conditions),
        by_length=tuple(_by_length(outcomes[-1], reference, run)),
        batch_difference=batch_difference,
        bounds=bounds,
        failures=tuple(failures),
        worst=tuple(_worst(bundle, reference, outcomes)),
        torch=probabilities(reference.logits, bundle.manifest.activation),
        bundle=probabilities(one_by_one, bundle.manifest.activation),
        left_out=reference.left_out,
    )
    return Measurement(report, one_by_one)


class _Runs:
    """Runs of the parity texts through one engine, which is opened once."""

    def __init__(self, bundle: Bundle, engine: EngineName, reference: Reference, progress: Progress) -> None:
        self._manifest = bundle.manifest
        self._ids = [tokens.ids for tokens in TextTokenizer(bundle, usable_cpus()).encode(reference.texts)]
        self._engine = open_engine(bundle, engine, usable_cpus())
        self._longest = reference.longest
        self._progress = progress

    def outcomes(self) -> Iterator[_Outcome]:
        """Run the texts in each condition; one that is not asked for is not run."""
        counts, rows, lengths = [len(ids) for ids in self._ids], self._manifest.batch, self._engine.lengths
        conditions = {"one by one": [*alone(counts, lengths)], "mixed batches": [*mixed(counts, lengths, rows)]}
        if (grid := self._manifest.grid) is not None:
            conditions["padded"] = [*padded(counts, [length for length in grid if length <= self._longest], rows)]
        work = {name: sum(map(self._tokens, batches)) for name, batches in conditions.items()}
        done = 0
        for name, batches in conditions.items():
            logits = np.empty((len(counts), len(self._manifest.labels)), np.float32)
            padded_to = np.empty(len(counts), np.int64)
            session, at_once = self._engine.sharing(1 if name == "one by one" else len(counts))  # as the classifier will
            run = partial(self._fill, session, logits)
            remaining = iter(batches)
            while some := [*islice(remaining, at_once)]:
                run_all(run, some, at_once if max(batch.length for batch in some) <= LONG else 1)
                for batch in some:
                    padded_to[[*batch.rows]] = batch.length
                done += sum(map(self._tokens, some))
                self._progress.share(done / sum(work.values()))
            yield _Outcome(name, logits, padded_to if name == "padded" else None)

    def _fill(self, session: Session, logits: NDArray[np.float32], batch: Batch) -> None:
        outputs = run_batch(session, self._manifest, self._ids, batch)
        logits[[*batch.rows]] = outputs.logits[: len(batch.rows)]

    def _tokens(self, batch: Batch) -> int:
        return (self._manifest.batch or len(batch.rows)) * batch.length


def _by_length(outcome: _Outcome, reference: Reference, run: LogitsOrigin) -> Iterator[Condition]:
    """Yield the condition of each length, over the texts that were padded to it."""
    for length in () if outcome.lengths is None else np.unique(outcome.lengths):
        rows = outcome.lengths == length
        yield Condition.of(f"padded to {length}", outcome.logits[rows], reference.logits[rows], run)


def _worst(bundle: Bundle, reference: Reference, runs: Sequence[_Outcome]) -> Iterator[WorstText]:
    moved = [drift(run.logits, reference.logits, bundle.manifest.activation) for run in runs]
    drifts = np.nan_to_num(moved, nan=np.inf)
    expected = probabilities(reference.logits, bundle.manifest.activation)
    for row in drifts.max(axis=0).argsort(kind="stable")[::-1][:_WORST].tolist():
        run = runs[int(drifts[:, row].argmax())]
        found = probabilities(run.logits[row : row + 1], bundle.manifest.activation)[0]
        yield WorstText(
            text=reference.texts[row],
            drift=float(drifts[:, row].max()),
            torch=dict(zip(bundle.manifest.labels, expected[row].tolist(), strict=True)),
            bundle=dict(zip(bundle.manifest.labels, found.tolist(), strict=True)),
            private=row >= reference.public,
        )
