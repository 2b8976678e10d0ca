"""Verification of a bundle on this machine: the answers it gave when it was built, as close to torch's as then."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tokenizers

from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.bundle.golden import read_golden
from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.comparison import Condition, LogitsOrigin
from sentiment_edge_runtimes.engines.loader import check_options
from sentiment_edge_runtimes.engines.saturation import products_saturate
from sentiment_edge_runtimes.engines.selection import usable_engines
from sentiment_edge_runtimes.errors import BundleInvalid, EngineError, first_line
from sentiment_edge_runtimes.numerics import drift
from sentiment_edge_runtimes.tokenization import TextTokenizer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle.golden import Golden
    from sentiment_edge_runtimes.vocabulary import ComputedIn, EngineChoice

MAX_LOGIT_DIFFERENCE = 1e-4
"""Allowed in fp32: other kernels sum in another order."""
MAX_MEAN_DRIFT, MAX_DRIFT = 2e-3, 2e-2
"""Allowed in int8 and bfloat16: on another CPU a value may be rounded the other way, and in a deep model others after it. Four
times the drift seen on emulated CPUs; products that saturate move the mean seven times as far."""
_BOUNDS = ("agreement", "mean_drift", "logit_difference")
_ENOUGH_TEXTS = 100
"""Least number of texts that agreement is judged by: of fewer, a single one would count for more than 1 %."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of verifying one bundle, whose files are intact."""

    bundle: Bundle
    conditions: tuple[Condition, ...]
    """Two of each engine: against its own answers where the bundle was built, and against torch."""
    failures: tuple[str, ...]
    """The checks that failed, each as one sentence."""
    refused: tuple[str, ...] = ()
    """For each engine that cannot run the bundle here, although another can, the reason."""

    @property
    def passed(self) -> bool:
        """Whether every check held."""
        return not self.failures


def verify(root: str | os.PathLike[str], *, engine: EngineChoice = "auto", threads: int | None = None) -> Verification:
    """Check a bundle's files, then its logits against those where it was built, and against torch's by the bundle's bounds.

    Args:
        root: the bundle's folder.
        engine: the engine to check; `auto` for every one of the bundle's that is installed here.
        threads: CPU threads to use; by default one for each CPU that this process may really use.

    Raises:
        OptionError: there is no such engine, or `threads` is not a whole number of 1 or more.
        BundleError: the bundle cannot be opened or has no golden outputs.
        EngineError: the bundle has no model for the engine, or the engine failed.
    """
    check_options(engine, threads)
    bundle = Bundle.open(Path(root))
    golden = read_golden(bundle)
    bounds = _read_bounds(bundle)
    conditions: list[Condition] = []
    failures = [*_token_changes(bundle, golden)]
    refused: list[EngineError] = []
    for name in usable_engines(bundle, engine):
        classifier = Classifier(bundle, engine=name, threads=threads)
        try:
            logits = np.concatenate([classifier.logits([text]) for text in golden.texts])  # alone, as when it was built
        except EngineError as error:
            refused.append(error)
            continue
        origin = LogitsOrigin(name, bundle.manifest.computed_in(name), bundle.manifest.activation)
        here = Condition.of("where it was built", logits, golden.logits[name], origin)
        torch = Condition.of("torch", logits, golden.torch, origin)
        conditions += here, torch
        found = (*_changes(bundle, here, golden, logits), *_misses(bounds, torch))
        failures += (f"{name}: {each}" if len(bundle.manifest.engines) > 1 else each for each in found)
    if not conditions:
        raise refused[0]
    return Verification(bundle, tuple(conditions), tuple(failures), tuple(map(str, refused)))


def tolerance(precision: ComputedIn) -> dict[str, float]:
    """Return how far the answers of a model that is computed in a precision may be from those on another machine."""
    if precision == "fp32":
        return {"logit_difference": MAX_LOGIT_DIFFERENCE}
    return {"mean_drift": MAX_MEAN_DRIFT, "max_drift": MAX_DRIFT}


def unchanged(here: Condition) -> bool:
    """Tell whether answers are those of another machine, as far as two machines can give the same."""
    found = {"logit_difference": here.max_logit_difference, "mean_drift": here.mean_drift, "max_drift": here.max_drift}
    return all(found[name] <= most for name, most in tolerance(here.precision).items())  # a NaN fails it


def _token_changes(bundle: Bundle, golden: Golden) -> Iterator[str]:
    """Yield a failure if the tokenizer gives other tokens than where the bundle was built."""
    if golden.ids is None:
        return
    found = [tokens.ids for tokens in TextTokenizer(bundle, 1).encode(golden.texts)]
    changed = [text for text, here, there in zip(golden.texts, found, golden.ids, strict=True) if here != there]
    if changed:
        built, here = bundle.manifest.built_with.get("tokenizers", "another release"), tokenizers.__version__
        why = "" if built == here else f"; tokenizers {here} is installed here, the bundle was built with {built}"
        yield f"other tokens here than where it was built for {len(changed)} texts, {changed[0]!r:.60} among them{why}"


def _changes(bundle: Bundle, here: Condition, golden: Golden, logits: NDArray[np.float32]) -> Iterator[str]:
    """Yield a failure if the answers are too far from those where the bundle was built."""
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
    """Yield a failure for each of the bundle's own bounds that does not hold here."""
    if torch.texts >= _ENOUGH_TEXTS and not torch.agreement >= bounds["agreement"]:
        yield f"{torch.agreement:.2%} of the texts get torch's label here, at least {100 * bounds['agreement']:.4g}% must"
    if not torch.mean_drift <= bounds["mean_drift"]:
        yield f"mean drift from torch is {torch.mean_drift:.4f} here, at most {bounds['mean_drift']:g} is allowed"
    if not torch.max_logit_difference <= bounds["logit_difference"]:
        difference = torch.max_logit_difference
        yield f"a logit differs from torch's by {difference:.2g} here, {bounds['logit_difference']:g} is allowed"


def _read_bounds(bundle: Bundle) -> dict[str, float]:
    """Return the bounds that the bundle was built within; infinity for one that was not set."""
    try:
        bounds = bundle.manifest.parity["bounds"]
        return {name: math.inf if bounds[name] is None else float(bounds[name]) for name in _BOUNDS}
    except (KeyError, TypeError, ValueError) as error:
        raise BundleInvalid(bundle.root, f"the manifest's parity has no bounds ({first_line(error)})") from error
