"""The parity gate: a graph becomes a model that gives torch's answers, some weights back in fp32 if need be, or is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_export.bundle.folder import Arithmetic
from sentiment_edge_export.parity.measure import Measurement, Reference, measure
from sentiment_edge_export.parity.report import Bounds
from sentiment_edge_export.quantization.rewrite import Int8Recipe, quantize
from sentiment_edge_export.quantization.sensitivity import Sensitivity, rank
from sentiment_edge_runtimes.errors import SentimentEdgeError
from sentiment_edge_runtimes.vocabulary import INFERENCE_PRECISIONS, REDUCING_ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import onnx_ir as ir

    from sentiment_edge_export.bundle.folder import BundleFolder
    from sentiment_edge_export.options import GateOptions
    from sentiment_edge_export.parity.report import ParityReport
    from sentiment_edge_export.quantization.calibration import Batches
    from sentiment_edge_export.targets import Target
    from sentiment_edge_export.torch_classifier import TracedForm
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.comparison import Condition
    from sentiment_edge_runtimes.progress import Progress
    from sentiment_edge_runtimes.vocabulary import Activation, Scheme

_FP32 = Bounds(agreement=1.0, mean_drift=1e-4, logit_difference=1e-4, batch_difference=1e-4)
_INT8 = Bounds(agreement=0.99, mean_drift=0.01, logit_difference=np.inf, batch_difference=1e-5)
_STABLE: tuple[Scheme, ...] = ("per-token", "weight-only")
"""Schemes in which a text's logits are the same in any batch. With one scale for a whole batch they depend on the other texts.
With scales fixed ahead of time they do not, but an engine's fp32 kernels may differ in the last bits by shape, and so may what
is rounded after them."""
_RANKED = 10
"""The number of weights that a refusal lists."""


class ParityError(SentimentEdgeError):
    """A bundle that does not give torch's answers and was not written. The message ends with the worst texts, one a line."""

    exit_status = 3

    def __init__(self, report: ParityReport, ranking: Sequence[Sensitivity] = ()) -> None:
        self.report = report
        self.ranking = ranking
        """The weights by the drift that each causes in int8, worst first; empty unless that was measured."""
        lines = [f"parity refused, nothing written: {'; '.join(report.failures)}", "worst texts:", *_indented(report.worst)]
        if ranking:
            lines += ["drift that each weight causes in int8, worst first (raise `max_fp32_share` to keep more in fp32):"]
            lines += _indented(ranking[:_RANKED])
        super().__init__("\n".join(lines))


def _indented(items: Iterable[object]) -> list[str]:
    return [f"  {item}" for item in items]


class Candidate(NamedTuple):
    """An fp32 graph for one engine, whose model is yet to be proven."""

    folder: BundleFolder
    target: Target
    form: TracedForm
    """The module that the graph was traced from."""
    graph: ir.Model
    reference: Reference
    """Torch's answers."""
    activation: Activation
    progress: Progress

    def fill(self, arithmetic: Arithmetic, graph: ir.Model) -> Bundle:
        """Write the model of a graph into the folder."""
        return self.folder.fill(self.target, self.form, graph, arithmetic)

    def measure(self, scheme: Scheme | None, fp32: Sequence[Sensitivity] = (), *, graph: ir.Model | None = None) -> Measurement:
        """Write the model of a graph, by default of the fp32 graph, into the folder and compare it with torch."""
        options, engine = self.folder.options, self.target.ENGINE
        reduced = options.graph.inference_precision if engine in REDUCING_ENGINES else None
        arithmetic = Arithmetic(scheme, tuple(fp32), reduced or INFERENCE_PRECISIONS[0])
        bundle = self.fill(arithmetic, self.graph if graph is None else graph)
        self.progress.stage("measuring parity")
        return measure(bundle, self.reference, bounds_for(options.gate, arithmetic), engine, self.progress)


class Proof(NamedTuple):
    """The evidence that a model passed."""

    measurement: Measurement
    fp32: tuple[Sensitivity, ...] = ()
    """The weights of an int8 model that stayed fp32."""


def bounds_for(gate: GateOptions, arithmetic: Arithmetic) -> Bounds:
    """Return the bounds that a model must keep: the default ones, replaced where the user chose another."""
    chosen = {
        "agreement": gate.min_agreement,
        "mean_drift": gate.max_mean_drift,
        "logit_difference": gate.max_logit_difference,
    }
    return replace(_default_bounds(arithmetic), **{name: bound for name, bound in chosen.items() if bound is not None})


def _default_bounds(arithmetic: Arithmetic) -> Bounds:
    if arithmetic.inference_precision == "bf16":
        return replace(_INT8, batch_difference=np.inf)
    if arithmetic.scheme is None:
        return _FP32
    return _INT8 if arithmetic.scheme in _STABLE else replace(_INT8, batch_difference=np.inf)


def prove(candidate: Candidate) -> Proof:
    """Write an fp32 model into the folder and prove it.

    Raises:
        ParityError: it does not give torch's answers.
    """
    return _passed(candidate.measure(None))


def prove_int8(candidate: Candidate, recipe: Int8Recipe, sample: Batches) -> Proof:
    """Write an int8 model into the folder, with as many weights in fp32 as it needs, and prove it.

    Args:
        candidate: its fp32 graph is compared with torch first.
        recipe: how the graph becomes int8.
        sample: ids and mask, [batch, length], of the texts to rank the weights by.

    Raises:
        ParityError: it does not give torch's answers, whatever stays fp32 within the budget.
    """
    engine, progress = candidate.target.ENGINE, candidate.progress
    progress.stage("measuring parity of fp32")
    filled = candidate.fill(Arithmetic(), candidate.graph)
    before = measure(filled, candidate.reference.sample(), _FP32, engine, progress).report
    if not before.passed:
        raise ParityError(before)
    attempts = _Attempts(candidate, recipe, before.conditions[0])
    kept: tuple[Sensitivity, ...] = ()
    ranking: tuple[Sensitivity, ...] = ()
    measurement = attempts(kept)
    budget = candidate.folder.options.int8.fp32_budget
    if not measurement.report.passed and budget:
        progress.stage(f"ranking {len(recipe.weights)} weights by the drift that each causes in int8")
        ranked = rank(candidate.graph, recipe, candidate.activation, sample, progress)
        ranking = tuple(each._replace(engine=engine) for each in ranked)
        worst = affordable(ranking, budget)
        enough = fewest(len(worst), lambda count: attempts(worst[:count]).report.passed)
        kept = worst[:enough]
        measurement = attempts(kept)
    return _passed(measurement, kept, ranking)


class _Attempts:
    """Writes one int8 model after the other into the folder and measures each."""

    def __init__(self, candidate: Candidate, recipe: Int8Recipe, before: Condition) -> None:
        self._candidate = candidate
        self._recipe = recipe
        self._before = before
        self._latest: tuple[Sequence[Sensitivity], Measurement] | None = None

    def __call__(self, fp32: Sequence[Sensitivity]) -> Measurement:
        """Measure the model with these weights in fp32; it stays in the folder."""
        if self._latest is None or self._latest[0] != fp32:
            self._latest = fp32, self._measure(fp32)
        return self._latest[1]

    def _measure(self, fp32: Sequence[Sensitivity]) -> Measurement:
        candidate, recipe = self._candidate, self._recipe
        candidate.progress.stage(f"quantizing, {len(fp32)} of {len(recipe.weights)} weights in fp32" if fp32 else "quantizing")
        graph = quantize(candidate.graph, recipe, {each.weight for each in fp32})
        report, logits = candidate.measure(recipe.scheme, fp32, graph=graph)
        return Measurement(replace(report, conditions=(*report.conditions, self._before)), logits)


def _passed(measurement: Measurement, fp32: tuple[Sensitivity, ...] = (), ranking: tuple[Sensitivity, ...] = ()) -> Proof:
    """Return the proof, or raise ParityError where a bound was missed."""
    if not measurement.report.passed:
        raise ParityError(measurement.report, ranking)
    return Proof(measurement, fp32)


def affordable(ranking: Sequence[Sensitivity], max_share: float) -> tuple[Sensitivity, ...]:
    """Return the weights that may stay fp32 together: worst first, skipping any that exceeds the rest of the budget."""
    chosen: list[Sensitivity] = []
    left = max_share
    for each in ranking:
        if each.share <= left:
            chosen.append(each)
            left -= each.share
    return tuple(chosen)


def fewest(most: int, holds: Callable[[int], bool]) -> int | None:
    """Return a number from 1 to `most` that holds while the number before it does not; None if none was found.

    Candidates are tried by doubling, then by bisection; the number returned is the last one tried that held.
    """
    low, high = 0, min(1, most)
    while high and not holds(high):
        low, high = high, min(2 * high, most)
        if low == high:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high or None
