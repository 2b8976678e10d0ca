"""An evaluation as a web page that needs no other file and no script."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from sentiment_edge.evaluation.charts import reliability_chart, roc_chart
from sentiment_edge.evaluation.figures import classes, differences, headlines, significance, title
from sentiment_edge.render.html import REPORT_STYLE, document, table
from sentiment_edge.render.svg import key
from sentiment_edge.render.text import number

if TYPE_CHECKING:
    from sentiment_edge.evaluation.result import Comparison, EvaluationResult, EvaluationRun
    from sentiment_edge.metrics import Evaluation

_DIGITS = 4
_MOST_FLIPS = 500

_STYLE = f"""{REPORT_STYLE}
  .matrix td {{ background: rgb(255 140 0 / calc(.75 * var(--share))); min-width: 4em; }}
  .curve {{ fill: none; stroke: var(--colour); stroke-width: 2; }}
"""
_BODY = Template("""<h1>$title</h1>
<p>$subtitle</p>
<dl>
$headlines
</dl>
$note
<h2>Classes</h2>
$classes
<h2>Confusion matrix</h2>
<p>Rows: true labels. Columns: predicted labels.</p>
$matrix
$curves
$comparison
<footer>ROC AUC: with two classes that of the second, with more the mean over each class against the rest. Calibration error:
the mean gap between the probability of predictions and the share of them that is right, in 15 bins of equal width.</footer>""")


def page(result: EvaluationResult) -> str:
    """Return the page as HTML: figures, classes, confusion matrix, curves, and the comparison if there is one."""
    run, evaluation = result.run, result.run.evaluation
    why = evaluation.roc_auc_undefined
    body = _BODY.substitute(
        title=escape(title(run)),
        subtitle=f"{evaluation.rows} rows of {escape(result.data.name)}",
        headlines="\n".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in headlines(run, _DIGITS)),
        note=f"<p>ROC AUC is undefined: {escape(why)}.</p>" if why else "",
        classes=table(classes(evaluation, _DIGITS)),
        matrix=_matrix(evaluation),
        curves=_curves(run),
        comparison="" if result.comparison is None else _comparison(run, result.comparison),
    )
    return document(title(run), _STYLE, body)


def _matrix(evaluation: Evaluation) -> str:
    """Return the matrix, each cell shaded by its share of the row."""
    rows = []
    for label, counts in zip(evaluation.labels, evaluation.confusion, strict=True):
        support = sum(counts) or 1
        cells = "".join(f'<td style="--share: {count / support:.3f}">{count}</td>' for count in counts)
        rows.append(f"<tr><th>{escape(label)}</th>{cells}</tr>")
    head = "".join(f"<th>{escape(label)}</th>" for label in evaluation.labels)
    body = "\n".join(rows)
    return f'<div class="wide"><table class="matrix"><thead><tr><th></th>{head}</tr></thead>\n{body}\n</table></div>'


def _curves(run: EvaluationRun) -> str:
    """Return both charts, or nothing if there are no probabilities."""
    if not run.evaluation.calibration:
        return ""
    areas = [f"{each.label} {number(each.roc_auc, _DIGITS)}" for each in run.evaluation.classes]
    keys = " ".join(key(index, area) for index, area in enumerate(areas))
    roc, reliability = roc_chart(run.outcomes), reliability_chart(run.evaluation.calibration)
    return f"""<h2>Curves</h2>
<div class="charts">
<figure>{roc}<figcaption>ROC: each class against the rest, and the area under it: {keys}</figcaption></figure>
<figure>{reliability}<figcaption>Reliability: underconfident above the diagonal, overconfident below it.</figcaption></figure>
</div>"""


def _comparison(run: EvaluationRun, comparison: Comparison) -> str:
    flips = comparison.flips
    shown = f", the first {_MOST_FLIPS}" if len(flips) > _MOST_FLIPS else ""
    texts = [[str(flip.line), flip.label, flip.first, flip.second, flip.text] for flip in flips[:_MOST_FLIPS]]
    return "\n".join(
        (
            f"<h2>Compared with {escape(title(comparison.other))}</h2>",
            table(differences(run, comparison, _DIGITS)),
            f"<p>{escape(significance(comparison.mcnemar))}</p>",
            f"<h2>{len(flips)} texts with another label{shown}</h2>",
            table([["line", "label", "first", "second", "text"], *texts], kind="texts") if texts else "",
        )
    )
