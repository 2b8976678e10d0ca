"""The gate's report as a web page that needs no other file and no script."""

from __future__ import annotations

import math
from html import escape
from string import Template
from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge.parity.charts import drift_chart, scatter_chart
from sentiment_edge.render.html import REPORT_STYLE, document, table
from sentiment_edge.render.svg import key
from sentiment_edge.render.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentiment_edge_export.parity.report import Bounds, ParityReport, WorstText
    from sentiment_edge_export.parity.tokens import TokenizerParity
    from sentiment_edge_export.quantization.sensitivity import Sensitivity
    from sentiment_edge_runtimes.comparison import Condition

_HEADER = ["texts", "same label", "mean drift", "99 %", "largest", "largest logit difference"]
_LONGEST_TEXT = 300
"""Characters of a text that are shown."""
_STYLE = f"""{REPORT_STYLE}
  .points {{ fill: none; stroke: var(--colour); stroke-width: 4; stroke-linecap: round; opacity: .7; }}
  th:first-child {{ min-width: 10em; }}
  .texts th:first-child {{ min-width: 0; white-space: nowrap; }}
  .texts td {{ white-space: pre-line; min-width: 8.5em; }}
"""
_BODY = Template("""<h1>$title</h1>
$verdict
<h2>Conditions</h2>
$conditions
<p>Between a text alone and the same text in a batch, its logits differ by at most $batch_difference$allowed.</p>
$charts
$by_length
$tokens
$notes
$weights
<h2>Texts that moved most</h2>
<p>Each in the condition that moved it most; the probability of every label.</p>
$worst
<footer>Compared with the original definition in torch, one unpadded text at a time. Drift of a text: the largest absolute
change of a class probability; 99 %: the 99th percentile of the drift.</footer>""")


def page(
    report: ParityReport,
    title: str,
    *,
    notes: Sequence[str] = (),
    fp32: Sequence[Sensitivity] = (),
    ranking: Sequence[Sensitivity] = (),
) -> str:
    """Return the page as HTML.

    Args:
        report: the outcome of the gate, passed or not.
        title: name and precision of the exported model.
        notes: what the user should know, such as what was not measured, a sentence each.
        fp32: the weights of an int8 bundle that stayed fp32.
        ranking: for a refused bundle, every weight with the drift that int8 causes in it, if that was measured.
    """
    allowed = report.bounds.batch_difference
    body = _BODY.substitute(
        title=escape(title),
        verdict=_verdict(report.failures),
        conditions=_conditions(report),
        batch_difference=f"{report.batch_difference:.2g}",
        allowed=f"; {allowed:g} is allowed" if math.isfinite(allowed) else "",
        charts=_charts(report),
        by_length=_by_length(report.by_length),
        tokens=_tokens(report.tokenizer),
        notes=f"<h2>Good to know</h2>\n{_listed(notes)}" if notes else "",
        weights=_weights(fp32, ranking),
        worst=table([["drift", "whose", "torch", "bundle", "text"], *map(_worst, report.worst)], kind="texts"),
    )
    return document(title, _STYLE, body)


def _verdict(failures: Iterable[str]) -> str:
    failures = [*failures]
    if not failures:
        return "<p>Passed: the bundle gives torch's answers.</p>"
    return f"<p>Refused: the bundle does not give torch's answers, and was not written.</p>\n{_listed(failures)}"


def _listed(sentences: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(visible(sentence))}</li>' for sentence in sentences)}</ul>"


def _conditions(report: ParityReport) -> str:
    """Return a row for each condition, and one for the bounds, which apply to the first one's precision."""
    rows = [[f"{each.precision}, {each.name}", each.engine, *_figures(each)] for each in report.conditions]
    bounds = [f"{report.conditions[0].precision}, allowed", "", *_allowed(report.bounds)]
    return table([["condition", "engine", *_HEADER], *rows, bounds])


def _figures(condition: Condition) -> list[str]:
    drifts = (condition.mean_drift, condition.p99_drift, condition.max_drift, condition.max_logit_difference)
    return [str(condition.texts), f"{condition.agreement:.2%}", *(f"{drift:.2g}" for drift in drifts)]


def _allowed(bounds: Bounds) -> list[str]:
    logit = f"≤ {bounds.logit_difference:g}" if math.isfinite(bounds.logit_difference) else ""
    return ["", f"≥ {100 * bounds.agreement:.4g}%", f"≤ {bounds.mean_drift:g}", "", "", logit]


def _charts(report: ParityReport) -> str:
    """Return both charts of the texts that have probabilities; a broken graph gives none."""
    finite = np.isfinite(report.bundle).all(axis=1) & np.isfinite(report.torch).all(axis=1)
    torch, bundle = report.torch[finite], report.bundle[finite]
    absent = (
        f"<p>{int((~finite).sum())} texts are left out here: their probabilities are not finite.</p>"
        if not finite.all()
        else ""
    )
    if not len(torch):
        return absent
    drifts = np.abs(bundle - torch).max(axis=1)
    keys = " ".join(key(index, label) for index, label in enumerate(report.worst[0].torch))
    return f"""<h2>Text by text, one by one</h2>
{absent}
<div class="charts">
<figure>{drift_chart(drifts, report.bounds.mean_drift)}
<figcaption>Number of texts by drift. Dashed: the bound on their mean.</figcaption></figure>
<figure>{scatter_chart(torch, bundle)}
<figcaption>On the diagonal the bundle gives torch's answer: {keys}</figcaption></figure>
</div>"""


def _by_length(conditions: Sequence[Condition]) -> str:
    if not conditions:
        return ""
    rows = table([["padded", *_HEADER], *([each.name, *_figures(each)] for each in conditions)])
    return f"<h2>Padded, by length</h2>\n<p>Too few texts each for a bound on the labels.</p>\n{rows}"


def _tokens(parity: TokenizerParity | None) -> str:
    """Return the outcome of the comparison of the tokens; nothing where a refusal came first."""
    if parity is None:
        return ""
    differences = [f"{each.texts} texts: {each.kind}" for each in parity.differences]
    but = f", but for these:</p>\n{_listed(differences)}" if differences else ".</p>"
    return f"<h2>Tokens</h2>\n<p>On {parity.texts} texts the same as of {escape(visible(parity.reference))}{but}"


def _weights(fp32: Sequence[Sensitivity], ranking: Sequence[Sensitivity]) -> str:
    """Return the weights that stayed fp32, or the ranking of those that could; nothing if there is neither."""
    if fp32:
        share = sum(each.share for each in fp32)
        heading = f"Weights that stayed fp32: {share:.1%}"
        why = (
            "With all weights in int8 the bundle missed a bound; with these, which cause the most drift, in fp32 it meets all."
        )
    elif ranking:
        heading = "What int8 does to each weight"
        why = "The worst of them in fp32, within the share that is allowed, were not enough to meet every bound."
    else:
        return ""
    rows = [[each.weight, f"{each.drift:.4f}", f"{each.share:.1%}"] for each in fp32 or ranking]
    header = ["weight", "mean drift when only it is int8", "share of the weights"]
    return f"<h2>{heading}</h2>\n<p>{why}</p>\n{table([header, *rows])}"


def _worst(text: WorstText) -> list[str]:
    whose = "yours" if text.private else "the project's"
    return [f"{text.drift:.2g}", whose, _distribution(text.torch), _distribution(text.bundle), _quoted(text.text)]


def _distribution(shares: dict[str, float]) -> str:
    return "\n".join(f"{visible(label)} {share:.4f}" for label, share in shares.items())


def _quoted(text: str) -> str:
    """Return a text as Python writes it, so that spaces, line ends and an empty text can be seen."""
    quoted = repr(text)
    return quoted if len(quoted) <= _LONGEST_TEXT else f"{quoted[:_LONGEST_TEXT]}…"
