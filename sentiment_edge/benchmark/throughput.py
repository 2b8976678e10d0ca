"""Throughput: the lines per second that `Classifier.stream` labels, from text to prediction."""

from __future__ import annotations

import statistics
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge.benchmark.texts import spread
from sentiment_edge_runtimes.batching import plan
from sentiment_edge_runtimes.engines.sessions import MANY
from sentiment_edge_runtimes.errors import TextError
from sentiment_edge_runtimes.inputs import READ_AHEAD
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.tokenization import TextTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.classifier import Classifier

_TRIAL = max(16, MANY * usable_cpus())
"""Lines that are timed first, to find how many fit into the time; enough to be labelled as many are."""
_USUAL = 1024
"""Lines of a pass if fewer are given: as many as a stream reads ahead."""
_MOST_PASSES, _LEAST_PASSES = 5, 2


class Throughput(NamedTuple):
    """The median of several passes over the same lines."""

    lines: int
    passes: int
    lines_per_second: float
    padding: float
    """The share of padding in the tokens that the model computes."""


def measure_throughput(
    classifiers: Sequence[Classifier], lengths: Sequence[Sequence[int] | None], texts: Sequence[str], deadline: float
) -> list[Throughput]:
    """Let all label the same lines in turns, until the deadline (of `time.monotonic`) or until there are enough passes.

    Args:
        classifiers: who labels.
        lengths: of each, those that its engine pads to.
        texts: the lines to choose from.
        deadline: the end.
    """
    trial = spread(texts, _TRIAL)
    for classifier in classifiers:
        _seconds(classifier, trial)  # starts the engine
    slowest = max(_seconds(classifier, trial) for classifier in classifiers) / _TRIAL
    share = (deadline - time.monotonic()) / (_MOST_PASSES * len(classifiers))
    lines = spread(texts, min(max(_TRIAL, int(share / slowest)), max(_USUAL, len(texts))))
    seconds: list[list[float]] = [[] for _ in classifiers]
    while (passes := len(seconds[-1])) < _LEAST_PASSES or (passes < _MOST_PASSES and time.monotonic() < deadline):
        for classifier, taken in zip(classifiers, seconds, strict=True):
            taken.append(_seconds(classifier, lines))
    return [
        Throughput(len(lines), len(taken), len(lines) / statistics.median(taken), padding_share(classifier.bundle, grid, lines))
        for classifier, grid, taken in zip(classifiers, lengths, seconds, strict=True)
    ]


def padding_share(bundle: Bundle, lengths: Sequence[int] | None, texts: Sequence[str]) -> float:
    """Return the share of padding in the tokens that a stream of these texts has computed, 0 to 1."""
    read = TextTokenizer(bundle, usable_cpus()).encode_each(texts)
    counts = [0 if isinstance(text, TextError) else len(text.ids) for text in read]
    rows, computed = bundle.manifest.batch, 0
    for start in range(0, len(counts), READ_AHEAD):
        batches = plan([count for count in counts[start : start + READ_AHEAD] if count], lengths, rows)
        computed += sum((rows or len(batch.rows)) * batch.length for batch in batches)
    return 1 - sum(counts) / computed if computed else 0.0


def _seconds(classifier: Classifier, lines: Sequence[str]) -> float:
    start = time.perf_counter()
    deque(classifier.stream(lines), maxlen=0)
    return time.perf_counter() - start
