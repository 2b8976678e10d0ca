"""Attention per token as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sentiment_edge_runtimes.prediction import Explanation

_BAR = 30
"""Characters of the longest bar."""
_WARM = (255, 140, 0)
_WIDE = 1000
"""Columns, so that no token is cut off; a narrow terminal wraps lines."""


def text(explanation: Explanation) -> str:
    """Return a line for each token: the token shaded by its weight, the weight, and a bar.

    There are colours if stdout is a terminal that has them.
    """
    console = Console(width=_WIDE)
    with console.capture() as captured:
        console.print(_table(explanation))
    return captured.get()


def _table(explanation: Explanation) -> Table:
    prediction = explanation.prediction
    peak = max(token.weight for token in explanation.tokens)
    table = Table(title=f"{prediction.label} {prediction.score:.4f}", title_justify="left", box=None, pad_edge=False)
    table.add_column("token")
    table.add_column("attention", justify="right")
    table.add_column("")
    for token in explanation.tokens:
        share = token.weight / peak
        colour = "#" + "".join(f"{round(part * share):02x}" for part in _WARM)
        shaded = Text(token.token, style=f"{'black' if share > 0.5 else 'white'} on {colour}")  # noqa: PLR2004
        table.add_row(shaded, f"{token.weight:.4f}", Text("█" * round(_BAR * share), style="#ff8c00"))
    return table
