"""Figures and names as text, for both the terminal and the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge.render.text import number

if TYPE_CHECKING:
    from sentiment_edge.evaluation.result import Comparison, EvaluationRun
    from sentiment_edge.metrics import Evaluation, McNemar, Scores

_TITLES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "roc_auc": "ROC AUC",
    "calibration_error": "calibration error",
    "lines_per_second": "lines per second",
}
"""Titles of `EvaluationRun.figures`."""


def title(run: EvaluationRun) -> str:
    """Return the name of the bundle's folder or of the file of predictions."""
    return Path(run.name).name


def headlines(run: EvaluationRun, digits: int) -> list[list[str]]:
    """Return the title and the value of each figure that sums up a run."""
    return [[_TITLES[name], _figure(name, value, digits)] for name, value in run.figures.items() if _is_measured(name, value)]


def classes(evaluation: Evaluation, digits: int) -> list[list[str]]:
    """Return a header, then precision, recall, F1, support and ROC AUC of each class, then the averages."""
    averages = (("macro average", evaluation.macro), ("weighted average", evaluation.weighted))
    return [
        ["class", "precision", "recall", "F1", "support", "ROC AUC"],
        *(
            [each.label, *_shown(each.scores, digits), str(each.support), number(each.roc_auc, digits)]
            for each in evaluation.classes
        ),
        *([name, *_shown(scores, digits), str(evaluation.rows), ""] for name, scores in averages),
    ]


def differences(run: EvaluationRun, comparison: Comparison, digits: int) -> list[list[str]]:
    """Return a header, then each figure of both runs and their difference."""
    rows = [["", title(run), title(comparison.other), "difference"]]
    for name, change in comparison.differences.items():
        figures = (run.figures[name], comparison.other.figures[name])
        shown = (_figure(name, value, digits) for value in figures)
        rows.append([_TITLES[name], *shown, _figure(name, change, digits, sign="+")])
    return rows


def significance(test: McNemar) -> str:
    """Return McNemar's test as a sentence."""
    return (
        f"McNemar's test, exact: {test.only_first} rows right in the first only, {test.only_second} in the second only, "
        f"p = {test.p_value:.4g}"
    )


def _shown(scores: Scores, digits: int) -> list[str]:
    return [number(score, digits) for score in scores]


def _figure(name: str, value: float | None, digits: int, sign: str = "") -> str:
    return number(value, 0, f"{sign},") if name == "lines_per_second" else number(value, digits, sign)


def _is_measured(name: str, value: float | None) -> bool:
    """Return whether to show a figure: for predictions from a file there is no speed, rather than an undefined one."""
    return name != "lines_per_second" or value is not None
