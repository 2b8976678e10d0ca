"""The gate: a graph becomes a bundle that gives torch's answers, weights going back to fp32 where they must, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_export.bundle.folder import Arithmetic
from sentiment_edge_export.errors import ExportError
from sentiment_edge_export.parity.measure import Measurement, Reference, measure
from sentiment_edge_export.parity.report import Bounds
from sentiment_edge_export.quantization.rewrite import Int8Recipe, quantize
from sentiment_edge_export.quantization.sensitivity import Sensitivity, rank
from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import onnx_ir as ir

    from sentiment_edge_export.bundle.folder import BundleFolder
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.parity.report import ParityReport
    from sentiment_edge_export.quantization.calibration import Batches
    from sentiment_edge_export.targets import Target
    from sentiment_edge_runtimes.comparison import Condition
    from sentiment_edge_runtimes.vocabulary import Activation, Scheme

_FP32 = Bounds(agreement=1.0, mean_drift=1e-4, logit_difference=1e-4, batch_difference=1e-4)
_INT8 = Bounds(agreement=0.99, mean_drift=0.01, logit_difference=np.inf, batch_difference=1e-5)
_STABLE: tuple[Scheme, ...] = ("per-token", "stored")
"""Schemes in which a text's logits are the same in any batch. With one step for a whole batch they depend on its neighbours.
With steps fixed ahead they do not; but OpenVINO's fp32 kernels differ in the last bits by shape, and so may a rounding."""


_RANKED = 10
"""Weights that a refusal lists."""


class ParityError(SentimentEdgeError):
    """The bundle does not give torch's answers; it was not written. The message goes on with the worst texts, a line each."""

    exit_status = 3

    def __init__(self, report: ParityReport, ranking: Sequence[Sensitivity] = ()) -> None:
        self.report = report
        self.ranking = ranking
        """The weights by the drift that each causes in int8, where that was measured."""
        lines = [f"parity refused, nothing written: {'; '.join(report.failures)}", "worst texts:", *_indented(report.worst)]
        if ranking:
            lines += ["what int8 does to each weight, worst first (more may stay fp32: --max-fp32-share):"]
            lines += _indented(ranking[:_RANKED])
        super().__init__("\n".join(lines))


def _indented(items: Iterable[object]) -> list[str]:
    return [f"  {item}" for item in items]


class Job(NamedTuple):
    """What to prove for one engine."""

    folder: BundleFolder
    target: Target
    graph: ir.Model
    """In fp32."""
    reference: Reference
    """What torch says."""
    activation: Activation
    progress: Callable[[str], None]
    """Called with a few words as each stage begins."""

    def measure(self, scheme: Scheme | None, fp32: Sequence[Sensitivity] = (), *, graph: ir.Model | None = None) -> Measurement:
        """Fill the folder with a graph, without one with that in fp32, and compare it with torch."""
        options, engine = self.folder.options, self.target.ENGINE
        arithmetic = Arithmetic(scheme, tuple(fp32), options.inference_precision if engine == "openvino" else "f32")
        bundle = self.folder.fill(self.target, self.graph if graph is None else graph, arithmetic)
        return measure(bundle, self.reference, bounds_for(options, arithmetic), engine)


class Proof(NamedTuple):
    """A model that passed."""

    measurement: Measurement
    fp32: tuple[Sensitivity, ...] = ()
    """The weights of an int8 model that went back to fp32."""


def bounds_for(options: ExportOptions, arithmetic: Arithmetic) -> Bounds:
    """Return what a model must hold to: the usual bounds, and those that the user chose.

    Raises:
        ExportError: a bound that nothing can be measured against.
    """
    usual = _usual_bounds(arithmetic)
    gate = options.gate
    chosen = {"agreement": gate.agreement, "mean_drift": gate.mean_drift, "logit_difference": gate.logit_difference}
    given = {name: bound for name, bound in chosen.items() if bound is not None}
    for name, bound in {**given, "max_fp32_share": gate.max_fp32_share}.items():
        largest = np.inf if name == "logit_difference" else 1
        if not 0 <= bound <= largest:
            raise ExportError(f"a bound of {bound:g} on {name.replace('_', ' ')}; it must be from 0 to {largest:g}")
    return replace(usual, **given)


def _usual_bounds(arithmetic: Arithmetic) -> Bounds:
    if arithmetic.inference_precision == "bf16":
        return replace(_INT8, batch_difference=np.inf)
    if arithmetic.scheme is None:
        return _FP32
    return _INT8 if arithmetic.scheme in _STABLE else replace(_INT8, batch_difference=np.inf)


def prove(job: Job) -> Proof:
    """Fill the folder with an fp32 model.

    Raises:
        ParityError: it does not give torch's answers.
    """
    job.progress("measuring parity")
    return _passed(job.measure(None))


def prove_int8(job: Job, recipe: Int8Recipe, sample: Batches) -> Proof:
    """Fill the folder with an int8 model of an fp32 graph, with as many weights in fp32 as it takes.

    Args:
        job: its graph is compared with torch first.
        recipe: how it becomes int8.
        sample: texts to rank the weights by.

    Raises:
        ParityError: it does not give torch's answers, whatever goes back within the budget.
    """
    job.progress("measuring parity of fp32")
    before = measure(
        job.folder.fill(job.target, job.graph, Arithmetic()), job.reference.sample(), _FP32, job.target.ENGINE
    ).report
    if not before.passed:
        raise ParityError(before)
    attempts = _Attempts(job, recipe, before.conditions[0])
    kept: tuple[Sensitivity, ...] = ()
    ranking: tuple[Sensitivity, ...] = ()
    measurement = attempts(kept)
    budget = job.folder.options.gate.max_fp32_share
    if not measurement.report.passed and budget:
        job.progress(f"ranking {len(recipe.weights)} weights by the drift that each causes in int8")
        ranking = tuple(each._replace(engine=job.target.ENGINE) for each in rank(job.graph, recipe, job.activation, sample))
        worst = affordable(ranking, budget)
        enough = fewest(len(worst), lambda count: attempts(worst[:count]).report.passed)
        kept = worst[:enough]
        measurement = attempts(kept)
    return _passed(measurement, kept, ranking)


class _Attempts:
    """Fills the folder with one int8 model after the other."""

    def __init__(self, job: Job, recipe: Int8Recipe, before: Condition) -> None:
        self._job = job
        self._recipe = recipe
        self._before = before
        self._latest: tuple[Sequence[Sensitivity], Measurement] | None = None

    def __call__(self, fp32: Sequence[Sensitivity]) -> Measurement:
        """Measure the model with these weights in fp32; the folder holds it afterwards."""
        if self._latest is None or self._latest[0] != fp32:
            self._latest = fp32, self._measure(fp32)
        return self._latest[1]

    def _measure(self, fp32: Sequence[Sensitivity]) -> Measurement:
        job, recipe = self._job, self._recipe
        job.progress(f"quantizing, {len(fp32)} of {len(recipe.weights)} weights in fp32" if fp32 else "quantizing")
        graph = quantize(job.graph, recipe, {each.weight for each in fp32})
        report, logits = job.measure(recipe.scheme, fp32, graph=graph)
        return Measurement(replace(report, conditions=(*report.conditions, self._before)), logits)


def _passed(measurement: Measurement, fp32: tuple[Sensitivity, ...] = (), ranking: tuple[Sensitivity, ...] = ()) -> Proof:
    """Return the proof, or refuse what was measured."""
    if not measurement.report.passed:
        raise ParityError(measurement.report, ranking)
    return Proof(measurement, fp32)


def affordable(ranking: Sequence[Sensitivity], max_share: float) -> tuple[Sensitivity, ...]:
    """Return those that may go back together: worst first, what is too large for the rest of the budget left out."""
    chosen: list[Sensitivity] = []
    left = max_share
    for each in ranking:
        if each.share <= left:
            chosen.append(each)
            left -= each.share
    return tuple(chosen)


def fewest(most: int, holds: Callable[[int], bool]) -> int | None:
    """Return a number from 1 to `most` that holds while one less does not; None if none was found.

    Numbers are tried by doubling, then by halving what is between; the one returned is the last one tried that held.
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
