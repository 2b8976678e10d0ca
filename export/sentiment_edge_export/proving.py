"""The gate: a graph becomes a bundle that gives torch's answers, weights going back to fp32 where they must, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_export.back_off import Sensitivity, affordable, fewest, rank
from sentiment_edge_export.errors import ExportError, ParityError
from sentiment_edge_export.parity.measuring import Measurement, Reference, measure
from sentiment_edge_export.parity.report import Bounds
from sentiment_edge_export.quantization import Int8Recipe, quantize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import onnx_ir as ir

    from sentiment_edge_export.back_off import Batches
    from sentiment_edge_export.bundling import BundleFolder
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.parity.report import ParityReport
    from sentiment_edge_runtimes.numerics import Condition

_FP32 = Bounds(agreement=1.0, mean_drift=1e-4, logit_difference=1e-4, batch_difference=1e-4)
_INT8 = {
    "per-token": Bounds(agreement=0.99, mean_drift=0.01, logit_difference=np.inf, batch_difference=1e-5),
    "per-tensor": Bounds(agreement=0.99, mean_drift=0.01, logit_difference=np.inf, batch_difference=np.inf),
}
"""By scheme; in the classical one, texts depend on their neighbours by design."""


class Proof(NamedTuple):
    """A bundle that passed."""

    report: ParityReport
    fp32: tuple[Sensitivity, ...]
    """The weights of an int8 bundle that went back to fp32."""


def bounds_for(options: ExportOptions) -> Bounds:
    """Return what a bundle must hold to: the usual bounds, and those that the user chose.

    Raises:
        ExportError: a bound that nothing can be measured against.
    """
    usual = _FP32 if options.precision == "fp32" else _INT8[options.quantization]
    gate = options.gate
    chosen = {"agreement": gate.agreement, "mean_drift": gate.mean_drift, "logit_difference": gate.logit_difference}
    given = {name: bound for name, bound in chosen.items() if bound is not None}
    for name, bound in {**given, "max_fp32_share": gate.max_fp32_share}.items():
        largest = np.inf if name == "logit_difference" else 1
        if not 0 <= bound <= largest:
            raise ExportError(f"a bound of {bound:g} on {name.replace('_', ' ')}; it must be from 0 to {largest:g}")
    return replace(usual, **given)


def prove(folder: BundleFolder, graph: ir.Model, reference: Reference, progress: Callable[[str], None]) -> Proof:
    """Fill the folder with an fp32 bundle.

    Raises:
        ParityError: it does not give torch's answers.
    """
    bounds = bounds_for(folder.options)
    progress("measuring parity")
    measurement = measure(folder.fill(graph, "fp32"), reference, bounds)
    return _passed(folder, measurement, reference)


def prove_int8(
    folder: BundleFolder,
    graph: ir.Model,
    recipe: Int8Recipe,
    reference: Reference,
    sample: Batches,
    progress: Callable[[str], None],
) -> Proof:
    """Fill the folder with an int8 bundle of an fp32 graph, with as many weights in fp32 as it takes.

    Args:
        folder: of the bundle.
        graph: in fp32, which is compared with torch first.
        recipe: how it becomes int8.
        reference: what torch says.
        sample: texts to rank the weights by.
        progress: called with a few words as each stage begins.

    Raises:
        ParityError: it does not give torch's answers, whatever goes back within the budget.
    """
    progress("measuring parity of fp32")
    before = measure(folder.fill(graph, "fp32"), reference.sample(), _FP32).report
    if not before.passed:
        raise ParityError(before)
    attempts = _Attempts(folder, graph, recipe, reference, before.conditions[0], progress)
    kept: tuple[Sensitivity, ...] = ()
    ranking: tuple[Sensitivity, ...] = ()
    measurement = attempts(kept)
    if not measurement.report.passed and folder.options.gate.max_fp32_share:
        progress(f"ranking {len(recipe.weights)} weights by the drift that each causes in int8")
        ranking = tuple(rank(graph, recipe, folder.classifier.activation, sample))
        worst = affordable(ranking, folder.options.gate.max_fp32_share)
        enough = fewest(len(worst), lambda count: attempts(worst[:count]).report.passed)
        kept = worst[:enough]
        measurement = attempts(kept)
    return _passed(folder, measurement, reference, kept, ranking)


class _Attempts:
    """Fills the folder with one int8 bundle after the other."""

    def __init__(
        self,
        folder: BundleFolder,
        graph: ir.Model,
        recipe: Int8Recipe,
        reference: Reference,
        before: Condition,
        progress: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._graph = graph
        self._recipe = recipe
        self._reference = reference
        self._before = before
        self._progress = progress
        self._latest: tuple[Sequence[Sensitivity], Measurement] | None = None

    def __call__(self, fp32: Sequence[Sensitivity]) -> Measurement:
        """Measure the bundle with these weights in fp32; the folder holds it afterwards."""
        if self._latest is None or self._latest[0] != fp32:
            self._latest = fp32, self._measure(fp32)
        return self._latest[1]

    def _measure(self, fp32: Sequence[Sensitivity]) -> Measurement:
        self._progress(f"quantizing, {len(fp32)} of {len(self._recipe.weights)} weights in fp32" if fp32 else "quantizing")
        graph = quantize(self._graph, self._recipe, {each.weight for each in fp32})
        bundle = self._folder.fill(graph, "int8", fp32)
        del graph
        self._progress("measuring parity")
        report, logits = measure(bundle, self._reference, bounds_for(self._folder.options))
        return Measurement(replace(report, conditions=(*report.conditions, self._before)), logits)


def _passed(
    folder: BundleFolder,
    measurement: Measurement,
    reference: Reference,
    fp32: tuple[Sensitivity, ...] = (),
    ranking: tuple[Sensitivity, ...] = (),
) -> Proof:
    """Complete the bundle that was measured, or refuse it."""
    if not measurement.report.passed:
        raise ParityError(measurement.report, ranking)
    folder.complete(measurement, reference)
    return Proof(measurement.report, fp32)
