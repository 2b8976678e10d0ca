"""The report of a comparison with torch, and the bounds that it is held against."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_export.parity.tokens import TokenizerParity
    from sentiment_edge_runtimes.comparison import Condition
    from sentiment_edge_runtimes.vocabulary import EngineName


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits that a bundle must keep in every condition."""

    agreement: float
    """Least share of texts that must get torch's label."""
    mean_drift: float
    logit_difference: float
    """Largest difference between a logit and torch's; infinity for no bound."""
    batch_difference: float
    """Largest difference of a logit between a text alone and the same text in any batch; infinity for no bound."""

    def as_json(self) -> dict[str, float | None]:
        """Return the bounds by name, None for no bound."""
        return {name: bound if math.isfinite(bound) else None for name, bound in asdict(self).items()}

    def failures(self, condition: Condition, batch_difference: float) -> Iterator[str]:
        """Yield a sentence for each bound that a condition misses."""
        # Each comparison is written so that a NaN fails it.
        engine = "" if condition.engine == DEFAULT_ENGINE else f"{condition.engine}, "
        name = f"{engine}{condition.precision}, {condition.name}"
        if not condition.agreement >= self.agreement:
            yield f"{name}: agreement {condition.agreement:.2%}, at least {100 * self.agreement:.4g}% needed"
        if not condition.mean_drift <= self.mean_drift:
            yield f"{name}: mean drift {condition.mean_drift:.4f}, at most {self.mean_drift:g} allowed"
        if not condition.max_logit_difference <= self.logit_difference:
            yield f"{name}: a logit differs by {condition.max_logit_difference:.2g}, at most {self.logit_difference:g} allowed"
        if not batch_difference <= self.batch_difference:
            most = f"at most {self.batch_difference:g} allowed"
            yield f"{name}: logits differ by {batch_difference:.2g} from the text alone, {most}"


@dataclass(frozen=True, slots=True)
class WorstText:
    """A text with one of the largest drifts."""

    text: str
    drift: float
    torch: dict[str, float]
    """Probability of every label in torch."""
    bundle: dict[str, float]
    """Probability of every label in the bundle, in the worst condition."""
    private: bool = False
    """Whether the text is the user's own; a bundle holds none of these."""

    def __str__(self) -> str:
        """Return both distributions on one line."""
        sides = (" ".join(f"{label} {share:.4f}" for label, share in side.items()) for side in (self.torch, self.bundle))
        return f"{self.text!r:.60} drift {self.drift:.4f}: torch {', bundle '.join(sides)}"


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The differences between a bundle and torch, and the bounds that they miss."""

    conditions: tuple[Condition, ...]
    """Each way of running the bundle, over all texts."""
    by_length: tuple[Condition, ...]
    """The padded condition split by length; each has too few texts for a bound on agreement."""
    batch_difference: float
    """Largest difference of a logit between a text alone and the same text in any batch."""
    bounds: Bounds
    failures: tuple[str, ...]
    """A sentence for each bound that was missed."""
    worst: tuple[WorstText, ...]
    torch: NDArray[np.float64] = field(repr=False, compare=False)
    """Probabilities in torch, [texts, classes]."""
    bundle: NDArray[np.float64] = field(repr=False, compare=False)
    """Probabilities in the bundle of the texts one by one, [texts, classes]."""
    left_out: tuple[str, ...] = ()
    """A sentence on what was not measured, if anything was not."""
    tokenizer: TokenizerParity | None = None
    """The comparison of the ids; None if it was not made, as in `verify`."""

    @property
    def passed(self) -> bool:
        """Whether every bound was kept."""
        return not self.failures

    @property
    def engines(self) -> tuple[EngineName, ...]:
        """The engines that were measured, in order."""
        return tuple(dict.fromkeys(condition.engine for condition in self.conditions))

    def summary(self) -> dict[str, Any]:
        """Return the part of the report that the manifest holds, as JSON."""
        return {
            "passed": self.passed,
            "conditions": [asdict(condition) for condition in self.conditions],
            "batch_difference": self.batch_difference,
            "bounds": self.bounds.as_json(),
            **({"left_out": [*self.left_out]} if self.left_out else {}),
        }

    def whole(self) -> dict[str, Any]:
        """Return the report that a bundle holds, as JSON, without the user's own texts."""
        worst = [{**asdict(text), "text": None if text.private else text.text} for text in self.worst]
        tokens = {"tokenizer": self.tokenizer.as_json()} if self.tokenizer else {}
        return {**self.summary(), "by_length": [asdict(condition) for condition in self.by_length], "worst": worst, **tokens}


def merge(reports: Sequence[ParityReport]) -> ParityReport:
    """Return one report on several engines: all conditions, the widest of the bounds, the worst of the texts.

    The probabilities are those of the first report.
    """
    first = reports[0]
    worst = sorted((text for report in reports for text in report.worst), key=attrgetter("drift"), reverse=True)
    return replace(
        first,
        conditions=tuple(condition for report in reports for condition in report.conditions),
        by_length=tuple(condition for report in reports for condition in report.by_length),
        batch_difference=max(report.batch_difference for report in reports),
        bounds=Bounds(
            agreement=min(report.bounds.agreement for report in reports),
            mean_drift=max(report.bounds.mean_drift for report in reports),
            logit_difference=max(report.bounds.logit_difference for report in reports),
            batch_difference=max(report.bounds.batch_difference for report in reports),
        ),
        failures=tuple(failure for report in reports for failure in report.failures),
        worst=tuple(worst[: len(first.worst)]),
    )
