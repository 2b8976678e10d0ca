"""Weights per token or word as a web page that needs no other file and no script."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from sentiment_edge.explanation.shares import NO_WORDS, TOGETHER, UNREAD, cost, meaning, shares, titled, weight_of
from sentiment_edge.render.html import document
from sentiment_edge.render.text import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_runtimes.prediction import Explanation

_STYLE = """
  :root { color-scheme: light dark; }
  body { font: 18px/1.9 system-ui, sans-serif; max-width: 46em; margin: 3em auto; padding: 0 1em; }
  h1 { font-size: 1.5em; margin: 0; }
  .text { white-space: pre-wrap; overflow-wrap: anywhere; margin: 1.5em 0; }
  .token { background: rgb(255 140 0 / var(--share)); border-radius: .2em; padding: .1em 0; }
  .against { background: rgb(50 130 255 / var(--share)); }
  .special { font-size: .7em; opacity: .75; padding: .2em .4em; margin: 0 .3em; }
  .unread { opacity: .4; }
  table { border-collapse: collapse; }
  td { padding: 0 1.5em 0 0; font-variant-numeric: tabular-nums; }
  meter { width: 12em; }
  footer { font-size: .75em; opacity: .7; margin-top: 2em; }
"""
_BODY = Template("""<h1>$label</h1>
<table>
$scores
</table>
<p class="text">$text</p>
<footer>$meaning$note</footer>""")
_ATTENTION = "The stronger the colour, the more attention a token got; point at a token for its weight."
_OCCLUSION = Template(
    '<span class="token" style="--share: .6">Orange</span> speaks for $label, '
    '<span class="token against" style="--share: .6">blue</span> against it: $meaning. '
    f"Point at a word for its weight; {TOGETHER}. ($cost)"
)


def page(explanation: Explanation) -> str:
    """Return the page as HTML: the probabilities, and the text with every token or word shaded by its weight."""
    prediction = explanation.prediction
    label = escape(prediction.label)
    scores = "\n".join(
        f'<tr><td>{escape(label)}</td><td><meter value="{number(score, 6)}"></meter></td><td>{number(score, 4)}</td></tr>'
        for label, score in prediction.scores.items()
    )
    body = _BODY.substitute(
        label=label,
        scores=scores,
        text="".join(_shaded(explanation)),
        meaning=_legend(explanation, label),
        note=f" The faded end {UNREAD}." if prediction.truncated else "",
    )
    return document(titled(prediction), _STYLE, body)


def _legend(explanation: Explanation, label: str) -> str:
    if explanation.method == "attention":
        return _ATTENTION
    if not explanation.tokens:
        return f"{NO_WORDS[0].upper()}{NO_WORDS[1:]}. ({cost(explanation)})"
    return _OCCLUSION.substitute(label=label, meaning=meaning(explanation, label), cost=cost(explanation))


def _shaded(explanation: Explanation) -> Iterator[str]:
    """Yield the text in order as marked-up pieces, including what lies between tokens."""
    position = 0
    for token, share in zip(explanation.tokens, shares(explanation.tokens), strict=True):
        title = escape(f"{token.token}: {weight_of(token, explanation)}")
        if token.start == token.end:
            yield _span(token.token, title, share, "token special")
            continue
        if token.start > position:
            yield escape(explanation.text[position : token.start])
        yield _span(explanation.text[max(position, token.start) : token.end], title, share, "token")
        position = max(position, token.end)
    rest = escape(explanation.text[position:])
    yield f'<span class="unread">{rest}</span>' if explanation.prediction.truncated else rest


def _span(shown: str, title: str, share: float, kind: str) -> str:
    against = " against" * (share < 0)
    return f'<span class="{kind}{against}" style="--share: {abs(share):.3f}" title="{title}">{escape(shown)}</span>'
