"""Weights per token or word as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sentiment_edge.explanation.shares import (
    NO_WORDS,
    TOGETHER,
    UNREAD,
    cost,
    has_spans,
    meaning,
    shares,
    titled,
    weighed,
    weight_of,
)
from sentiment_edge.render.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_runtimes.prediction import Explanation

_BAR = 30
"""Characters of the longest bar, or of two of opposite directions."""
_LONGEST = 60
"""Characters that are shown of a token or of a span."""
_FOR, _AGAINST = (255, 140, 0), (80, 160, 255)
"""The colours, as red, green and blue, of what speaks for the label and of what speaks against it."""
_WIDE, _HIGH = 1000, 25
"""Columns, so that no token is cut off: a narrow terminal wraps lines. Without rows a simple terminal would count as narrow."""


def text(explanation: Explanation) -> str:
    """Return a line for each token or word: shaded by its weight, the weight, and a bar; then the notes on them.

    There are colours if stdout is a terminal that has them.
    """
    console = Console(width=_WIDE, height=_HIGH)
    title = visible(titled(explanation.prediction))
    with console.capture() as captured:
        console.print(Text(title, style="italic"), soft_wrap=True)  # a string would be read as markup
        if explanation.tokens:
            console.print(_table(explanation))
        for note in _notes(explanation):
            console.print(Text(note, style="dim"), soft_wrap=True)
    return captured.get()


def _notes(explanation: Explanation) -> Iterator[str]:
    """Yield for occlusion what the weights cost and mean, and for either method what was not read."""
    if explanation.method == "occlusion":
        label = visible(explanation.prediction.label)
        yield f"{cost(explanation)}; {meaning(explanation, label) if explanation.tokens else NO_WORDS}"
    if has_spans(explanation):
        yield TOGETHER
    if explanation.prediction.truncated:
        yield f"the end {UNREAD}"


def _table(explanation: Explanation) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(weighed(explanation))
    table.add_column("weight" if explanation.method == "occlusion" else "attention", justify="right")
    table.add_column("")
    found = shares(explanation.tokens)
    left = _BAR // 2 if min(found, default=0) < 0 else 0
    for token, share in zip(explanation.tokens, found, strict=True):
        shaded = Text(_shown(token.token), style=f"{'black' if abs(share) > 0.5 else 'white'} on {_mixed(share)}")  # noqa: PLR2004
        table.add_row(shaded, weight_of(token, explanation), _bar(share, left))
    return table


def _bar(share: float, left: int) -> Text:
    """Return a bar to the right of the middle, or to the left if the share is negative; so many characters are left of it."""
    length = round((_BAR - left) * abs(share))
    bar = f"{'█' * length:>{left}}" if share < 0 else " " * left + "█" * length
    return Text(bar, style=_mixed(1 if share >= 0 else -1))


def _mixed(share: float) -> str:
    """Return the colour of a share's direction, the darker the smaller the share."""
    return "#" + "".join(f"{round(part * abs(share)):02x}" for part in (_AGAINST if share < 0 else _FOR))


def _shown(token: str) -> str:
    shown = visible(token)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
