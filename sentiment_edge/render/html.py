"""The HTML document around a page's contents, and the style that reports share."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

REPORT_STYLE = """
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
  .charts { display: flex; flex-wrap: wrap; gap: 2em; }
  figure { margin: 0; flex: 1 1 20em; max-width: 28em; }
  figcaption { font-size: .85em; }
  svg { width: 100%; height: auto; }
  svg text { fill: currentColor; font: 12px system-ui, sans-serif; }
  svg .tick { font-size: 10px; opacity: .75; }
  .grid { stroke: var(--line); }
  .mark { stroke: currentColor; stroke-dasharray: 4 4; opacity: .6; }
  .bar { fill: #3b82c4; opacity: .8; }
  .key { display: inline-block; width: .8em; height: .8em; background: var(--colour); margin: 0 .4em 0 0; }
  figcaption span { white-space: nowrap; unicode-bidi: isolate; }
  .c0 { --colour: #d55e00; } .c1 { --colour: #3b82c4; } .c2 { --colour: #009e73; } .c3 { --colour: #cc79a7; }
  .c4 { --colour: #e69f00; } .c5 { --colour: #56b4e9; } .c6 { --colour: #8b6fd0; } .c7 { --colour: #8a8a8a; }
  footer { font-size: .8em; opacity: .75; margin-top: 3em; }
"""
"""For light and dark mode; `c0` to `c7` are the colours that `svg.colour` numbers."""

_DOCUMENT = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
$body
</html>
""")


def document(title: str, style: str, body: str) -> str:
    """Return a whole page; the title is text, the body HTML."""
    return _DOCUMENT.substitute(title=escape(title), style=style, body=body)


def table(rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Return a table: the first row is the header, the first cell of each row its name; kind `texts` has a wide last column."""
    header = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "\n".join(
        f"<tr><th>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>" for row in rows[1:]
    )
    return f'<div class="wide"><table class="{kind}"><thead><tr>{header}</tr></thead>\n{body}\n</table></div>'
