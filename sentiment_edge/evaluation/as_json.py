"""The object that `evaluate --json` prints. Names are stable, figures are unrounded, undefined values are null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentiment_edge.render.json_text import json_text

if TYPE_CHECKING:
    from sentiment_edge.evaluation.result import Comparison, EvaluationResult, EvaluationRun


def as_json(result: EvaluationResult) -> str:
    """Return the result as JSON."""
    answer = {
        "data": str(result.data),
        **_run(result.run),
        "comparison": None if result.comparison is None else _comparison(result.comparison),
    }
    return json_text(answer)


def _run(run: EvaluationRun) -> dict[str, Any]:
    evaluation = run.evaluation
    return {
        "bundle": None if run.lines_per_second is None else run.name,
        "rows": evaluation.rows,
        "labels": list(evaluation.labels),
        **run.figures,
        "roc_auc_undefined": evaluation.roc_auc_undefined,
        "macro": evaluation.macro._asdict(),
        "weighted": evaluation.weighted._asdict(),
        "classes": [
            {"label": each.label, **each.scores._asdict(), "support": each.support, "roc_auc": each.roc_auc}
            for each in evaluation.classes
        ],
        "confusion_matrix": evaluation.confusion,
        "calibration": [part._asdict() for part in evaluation.calibration],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        **_run(comparison.other),
        "differences": comparison.differences,
        "mcnemar": comparison.mcnemar._asdict(),
        "flipped": [flip._asdict() for flip in comparison.flips],
    }
