"""An evaluation as a web page that needs no other file and no script."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from sentiment_edge.evaluating.charts import COLOURS, reliability_chart, roc_chart
from sentiment_edge.evaluating.wording import classes, differences, headlines, number, significance, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge.evaluating.running import Comparison, Result, Run
    from sentiment_edge_runtimes.evaluation import Evaluation

_DIGITS = 4
_MOST_FLIPS = 500

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
  :root { color-scheme: light dark; --line: rgb(128 128 128 / .35); }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 62em; margin: 2.5em auto; padding: 0 1em; }
  h1 { font-size: 1.5em; margin: 0; overflow-wrap: anywhere; }
  h2 { font-size: 1.1em; margin: 2em 0 .5em; }
  p { margin: .3em 0; }
  dl { display: flex; flex-wrap: wrap; gap: 1em 2.5em; margin: 1.5em 0; }
  dt { font-size: .8em; opacity: .75; }
  dd { margin: 0; font-size: 1.5em; font-variant-numeric: tabular-nums; }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: .25em .9em; text-align: right; font-weight: normal; border-bottom: 1px solid var(--line); }
  th:first-child, .texts th, .texts td { text-align: left; }
  th { overflow-wrap: anywhere; max-width: 18em; }
  thead th { font-size: .8em; opacity: .75; }
  .texts td:last-child { overflow-wrap: anywhere; min-width: 18em; }
  .matrix td { background: rgb(255 140 0 / calc(.75 * var(--share))); min-width: 4em; }
  .charts { display: flex; flex-wrap: wrap; gap: 2em; }
  figure { margin: 0; flex: 1 1 20em; max-width: 28em; }
  figcaption { font-size: .85em; }
  svg { width: 100%; height: auto; }
  svg text { fill: currentColor; font: 12px system-ui, sans-serif; }
  svg .tick { font-size: 10px; opacity: .75; }
  .grid { stroke: var(--line); }
  .diagonal { stroke: currentColor; stroke-dasharray: 4 4; opacity: .6; }
  .curve { fill: none; stroke: var(--colour); stroke-width: 2; }
  .bar { fill: #3b82c4; opacity: .8; }
  .key { display: inline-block; width: .8em; height: .8em; background: var(--colour); margin: 0 .4em 0 0; }
  figcaption span { white-space: nowrap; }
  .c0 { --colour: #d55e00; } .c1 { --colour: #3b82c4; } .c2 { --colour: #009e73; } .c3 { --colour: #cc79a7; }
  .c4 { --colour: #e69f00; } .c5 { --colour: #56b4e9; } .c6 { --colour: #8b6fd0; } .c7 { --colour: #8a8a8a; }
  footer { font-size: .8em; opacity: .75; margin-top: 3em; }
</style>
<h1>$title</h1>
<p>$subtitle</p>
<dl>
$headlines
</dl>
$note
<h2>Classes</h2>
$classes
<h2>Confusion matrix</h2>
<p>Rows: what texts are. Columns: what they were said to be.</p>
$matrix
$curves
$comparison
<footer>ROC AUC: of two classes that of the second, of more the mean over one class against the rest. Calibration error:
the mean gap between how sure predictions are and how often they are right, in 15 bins of equal width.</footer>
</html>
""")


def page(result: Result) -> str:
    """Return the page as HTML: figures, classes, confusion matrix, curves, and the comparison where there is one."""
    run, evaluation = result.run, result.run.evaluation
    why = evaluation.roc_auc_undefined
    return _PAGE.substitute(
        title=escape(title(run)),
        subtitle=f"{evaluation.rows} rows of {escape(result.data.name)}",
        headlines="\n".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in headlines(run, _DIGITS)),
        note=f"<p>ROC AUC is undefined: {escape(why)}.</p>" if why else "",
        classes=_table(classes(evaluation, _DIGITS)),
        matrix=_matrix(evaluation),
        curves=_curves(run),
        comparison="" if result.comparison is None else _comparison(run, result.comparison),
    )


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


def _curves(run: Run) -> str:
    """Return both charts; nothing without probabilities."""
    if not run.evaluation.calibration:
        return ""
    keys = " ".join(
        f'<span class="c{index % COLOURS}"><span class="key"></span>{escape(each.label)} {number(each.roc_auc, _DIGITS)}</span>'
        for index, each in enumerate(run.evaluation.classes)
    )
    roc, reliability = roc_chart(run.outcomes), reliability_chart(run.evaluation.calibration)
    return f"""<h2>Curves</h2>
<div class="charts">
<figure>{roc}<figcaption>ROC: each class against the rest, and the area under it: {keys}</figcaption></figure>
<figure>{reliability}<figcaption>Reliability: above the diagonal not sure enough, below it too sure.</figcaption></figure>
</div>"""


def _comparison(run: Run, comparison: Comparison) -> str:
    flips = comparison.flips
    shown = f", the first {_MOST_FLIPS}" if len(flips) > _MOST_FLIPS else ""
    texts = [[str(flip.line), flip.label, flip.first, flip.second, flip.text] for flip in flips[:_MOST_FLIPS]]
    return "\n".join(
        (
            f"<h2>Compared with {escape(title(comparison.other))}</h2>",
            _table(differences(run, comparison, _DIGITS)),
            f"<p>{escape(significance(comparison.mcnemar))}</p>",
            f"<h2>{len(flips)} texts with another label{shown}</h2>",
            _table([["line", "label", "first", "second", "text"], *texts], kind="texts") if texts else "",
        )
    )


def _table(rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Return a table of a header and rows that begin with their name."""
    header = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "\n".join(
        f"<tr><th>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>" for row in rows[1:]
    )
    return f'<div class="wide"><table class="{kind}"><thead><tr>{header}</tr></thead>\n{body}\n</table></div>'
