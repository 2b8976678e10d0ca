"""Attention per token as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sentiment_edge.explanation.shares import shares, titled
from sentiment_edge.render.text import number, visible

if TYPE_CHECKING:
    from sentiment_edge_runtimes.prediction import Explanation

_BAR = 30
"""Characters of the longest bar."""
_WARM = (255, 140, 0)
_WIDE, _HIGH = 1000, 25
"""Columns, so that no token is cut off: a narrow terminal wraps lines. Without rows a simple terminal would count as narrow."""


def text(explanation: Explanation) -> str:
    """Return a line for each token: the token shaded by its weight, the weight, and a bar.

    There are colours if stdout is a terminal that has them.
    """
    console = Console(width=_WIDE, height=_HIGH)
    title = Text(visible(titled(explanation.prediction)), style="italic")  # a string would be read as markup
    with console.capture() as captured:
        console.print(title, soft_wrap=True)
        console.print(_table(explanation))
    return captured.get()


def _table(explanation: Explanation) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("token")
    table.add_column("attention", justify="right")
    table.add_column("")
    for token, share in zip(explanation.tokens, shares(explanation.tokens), strict=True):
        colour = "#" + "".join(f"{round(part * share):02x}" for part in _WARM)
        shaded = Text(visible(token.token), style=f"{'black' if share > 0.5 else 'white'} on {colour}")  # noqa: PLR2004
        table.add_row(shaded, number(token.weight, 4), Text("█" * round(_BAR * share), style="#ff8c00"))
    return table
