"""The outcome of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge.metrics import Evaluation, McNemar, Outcomes


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """One model's answers on labelled rows, and their evaluation."""

    name: str
    """The bundle's folder, or the file of predictions."""
    outcomes: Outcomes
    evaluation: Evaluation
    lines_per_second: float | None = None
    """None for predictions from a file."""

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures that sum up the run, by name."""
        return {**self.evaluation.headline, "lines_per_second": self.lines_per_second}


class Flip(NamedTuple):
    """A text that two models label differently."""

    line: int
    text: str
    label: str
    """The true label."""
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Another model on the same rows, compared with the first."""

    other: EvaluationRun
    differences: dict[str, float | None]
    """By the names of `EvaluationRun.figures`: the other's minus the first's."""
    mcnemar: McNemar
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The outcome of an evaluation."""

    data: Path
    run: EvaluationRun
    comparison: Comparison | None = None
