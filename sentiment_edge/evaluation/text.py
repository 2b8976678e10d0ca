"""An evaluation as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.evaluation.figures import classes, differences, headlines, significance, title
from sentiment_edge.render.text import aligned, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.evaluation.result import Comparison, EvaluationResult, EvaluationRun, Flip
    from sentiment_edge.metrics import Evaluation

_WIDTH = 100
"""The most characters of a line."""
_NAME, _SHORT_NAME = 24, 12
"""The most characters of a name, and of a label in the list of texts."""
_SHOWN_FLIPS = 10


def text(result: EvaluationResult, digits: int) -> str:
    """Return the figures, the classes, the confusion matrix and, if there is one, the comparison."""
    run = result.run
    name = f"{title(run)} on {result.data.name}" if run.lines_per_second is not None else title(run)
    blocks = [
        f"{plain(name, _WIDTH - _NAME)}: {run.evaluation.rows} rows",
        _headlines(run, digits),
        _aligned(classes(run.evaluation, digits)),
        _confusion(run.evaluation),
    ]
    if result.comparison is not None:
        blocks += _comparison(run, result.comparison, digits)
    return "\n\n".join(blocks)


def _headlines(run: EvaluationRun, digits: int) -> str:
    lines = _aligned(headlines(run, digits))
    why = run.evaluation.roc_auc_undefined
    return f"{lines}\nROC AUC is undefined: {plain(why, _WIDTH - _NAME)}" if why else lines


def _confusion(evaluation: Evaluation) -> str:
    """Return the matrix under the classes' names, or under their ids if that is too wide, or a hint if both are."""
    names = [plain(label, _NAME) for label in evaluation.labels]
    ids = [str(index) for index in range(len(names))]
    numbered = [f"{index} {name}" for index, name in zip(ids, names, strict=True)]
    for columns, rows in ((names, names), (ids, numbered)):
        body = [[row, *map(str, counts)] for row, counts in zip(rows, evaluation.confusion, strict=True)]
        table = _aligned([["true \\ predicted", *columns], *body])
        if max(map(len, table.split("\n"))) <= _WIDTH:
            return table
    return f"the confusion matrix of {len(names)} classes is too wide for the terminal; the JSON and the report have it"


def _comparison(run: EvaluationRun, comparison: Comparison, digits: int) -> Iterator[str]:
    """Yield the figures side by side, the significance test, and the first texts whose label differs."""
    yield _aligned(differences(run, comparison, digits))
    yield significance(comparison.mcnemar)
    flips = comparison.flips
    shown = flips[:_SHOWN_FLIPS]
    count = f"{len(flips)} texts with another label" + (f", the first {len(shown)}" if len(flips) > len(shown) else "")
    yield f"{count}\n{_flips(shown)}" if flips else count


def _flips(flips: Sequence[Flip]) -> str:
    rows = [["line", "label", "first", "second"]]
    rows += [
        [str(flip.line), *(plain(label, _SHORT_NAME) for label in (flip.label, flip.first, flip.second))] for flip in flips
    ]
    lines = _aligned(rows).split("\n")
    room = _WIDTH - len(lines[0]) - 2
    texts = ["text", *(plain(flip.text.strip(), room) for flip in flips)]
    return "\n".join(f"{line}  {text}" for line, text in zip(lines, texts, strict=True))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines, with long names cut."""
    return aligned([[plain(cell, _NAME) for cell in row] for row in rows])
