"""Proof that a bundle gives on this machine what it gave when it was built, and torch's answers as it did then."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.bundle.golden import read_golden
from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.comparison import Condition, Run
from sentiment_edge_runtimes.engines.saturation import products_saturate
from sentiment_edge_runtimes.engines.selection import usable_engines
from sentiment_edge_runtimes.errors import BundleInvalid, EngineError
from sentiment_edge_runtimes.numerics import drift

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle.golden import Golden
    from sentiment_edge_runtimes.vocabulary import EngineChoice

MAX_LOGIT_DIFFERENCE = 1e-4
"""Of fp32 bundles: other kernels sum in another order."""
MAX_MEAN_DRIFT, MAX_DRIFT = 2e-3, 2e-2
"""Of int8 and bfloat16: on another CPU a rounding may fall the other way, and in a deep model others after it; four times what
was seen on emulated CPUs. Products that saturate move the mean seven times as far as this."""
_BOUNDS = ("agreement", "mean_drift", "logit_difference")
_ENOUGH_TEXTS = 100
"""For a bound on the share of texts with torch's label: of fewer, one would count for more than a hundredth."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome for one bundle, its files already found intact."""

    bundle: Bundle
    conditions: tuple[Condition, ...]
    """Of each engine against itself where the bundle was built, then against torch."""
    failures: tuple[str, ...]
    """What was not met, in words."""
    refused: tuple[str, ...] = ()
    """Why an engine of the bundle cannot run it here, where another can."""

    @property
    def passed(self) -> bool:
        """Whether the golden outputs and the bundle's bounds were met."""
        return not self.failures


def verify(root: Path, *, engine: EngineChoice = "auto", threads: int | None = None) -> Verification:
    """Check a bundle's files, then its logits against its own where it was built, and against torch by its own bounds.

    Args:
        root: the bundle's folder.
        engine: which to check; `auto` for every one that the bundle has and this machine too.
        threads: CPU threads to use; None for the CPUs that this process may really use.

    Raises:
        BundleError: the bundle cannot be opened or has no golden outputs.
        EngineError: the engine failed.
    """
    bundle = Bundle.open(root)
    golden = read_golden(bundle)
    bounds = _read_bounds(bundle)
    conditions: list[Condition] = []
    failures: list[str] = []
    refused: list[EngineError] = []
    for name in usable_engines(bundle, engine):
        classifier = Classifier(bundle, engine=name, threads=threads)
        try:
            logits = np.concatenate([classifier.logits([text]) for text in golden.texts])  # alone, as when it was built
        except EngineError as error:
            refused.append(error)
            continue
        run = Run(name, bundle.manifest.computed_in(name), bundle.manifest.activation)
        here = Condition.of("where it was built", logits, golden.logits[name], run)
        torch = Condition.of("torch", logits, golden.torch, run)
        conditions += here, torch
        found = (*_changes(bundle, here, golden, logits), *_misses(bounds, torch))
        failures += (f"{name}: {each}" if len(bundle.manifest.engines) > 1 else each for each in found)
    if not conditions:
        raise refused[0]
    return Verification(bundle, tuple(conditions), tuple(failures), tuple(map(str, refused)))


def unchanged(here: Condition) -> bool:
    """Whether answers are those of another machine, as far as machines can give the same."""
    # Written so that a NaN fails it.
    if here.precision == "fp32":
        return here.max_logit_difference <= MAX_LOGIT_DIFFERENCE
    return here.mean_drift <= MAX_MEAN_DRIFT and here.max_drift <= MAX_DRIFT


def _changes(bundle: Bundle, here: Condition, golden: Golden, logits: NDArray[np.float32]) -> Iterator[str]:
    """Say how far the answers are from those where the bundle was built, if it is too far."""
    if unchanged(here):
        return
    fp32, built = here.precision == "fp32", golden.logits[here.engine]
    moved = np.abs(logits - built).max(axis=1) if fp32 else drift(logits, built, bundle.manifest.activation)
    worst = int(np.nan_to_num(moved, nan=np.inf).argmax())
    what = f"a logit by {moved[worst]:.2g}, {MAX_LOGIT_DIFFERENCE:g} allowed"
    if not fp32:
        allowed = f"{MAX_DRIFT:g} and a mean of {MAX_MEAN_DRIFT:g} allowed"
        what = f"a probability by {moved[worst]:.2g}, the mean of all by {here.mean_drift:.2g}, {allowed}"
    yield f"other answers here than where it was built: {golden.texts[worst]!r:.60} differs in {what}{_likely_reason(bundle)}"


def _likely_reason(bundle: Bundle) -> str:
    if bundle.manifest.precision == "int8" and products_saturate():
        return "; this CPU's int8 products saturate (x86 without VNNI), and slower exact ones are in use"
    return ""


def _misses(bounds: dict[str, float], torch: Condition) -> Iterator[str]:
    """Say which of the bundle's own bounds do not hold here."""
    if torch.texts >= _ENOUGH_TEXTS and not torch.agreement >= bounds["agreement"]:
        yield f"{torch.agreement:.2%} of the texts get torch's label here, at least {100 * bounds['agreement']:.4g}% must"
    if not torch.mean_drift <= bounds["mean_drift"]:
        yield f"mean drift from torch is {torch.mean_drift:.4f} here, at most {bounds['mean_drift']:g} is allowed"
    if not torch.max_logit_difference <= bounds["logit_difference"]:
        difference = torch.max_logit_difference
        yield f"a logit differs from torch's by {difference:.2g} here, {bounds['logit_difference']:g} is allowed"


def _read_bounds(bundle: Bundle) -> dict[str, float]:
    """Return the bounds that held where the bundle was built, infinity where there is none."""
    try:
        bounds = bundle.manifest.parity["bounds"]
        return {name: math.inf if bounds[name] is None else float(bounds[name]) for name in _BOUNDS}
    except (KeyError, TypeError, ValueError) as error:
        raise BundleInvalid(bundle.root, f"the manifest's parity has no bounds ({error})") from error
