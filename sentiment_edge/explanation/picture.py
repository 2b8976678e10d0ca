"""Attention per token as a PNG picture; needs the extra `plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.explanation.shares import shares, titled
from sentiment_edge.render.picture import literal, png
from sentiment_edge.render.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sentiment_edge_runtimes.prediction import Explanation, TokenWeight

_TOKENS_PER_ROW = 10
_CELL = (1.2, 0.75)
"""Inches."""
_TITLE, _TOKEN = 60, 30
"""The most characters of the title and of a token; more do not fit."""


def picture(explanation: Explanation) -> bytes:
    """Return a PNG of the tokens in reading order, each in a cell shaded by its weight."""
    tokens = explanation.tokens
    rows = max(1, -(-len(tokens) // _TOKENS_PER_ROW))
    columns = max(4, min(len(tokens), _TOKENS_PER_ROW))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set(xlim=(0, columns), ylim=(rows, 0))
        axes.set_axis_off()
        axes.set_title(literal(titled(explanation.prediction), _TITLE), loc="left")
        for index, (token, share) in enumerate(zip(tokens, shares(tokens), strict=True)):
            row, column = divmod(index, _TOKENS_PER_ROW)
            _draw(axes, (column, row), token, share)

    return png((_CELL[0] * columns + 0.4, _CELL[1] * rows + 0.8), draw)


def _draw(axes: Axes, corner: tuple[int, int], token: TokenWeight, share: float) -> None:
    column, row = corner
    cell = axes.fill_between([column + 0.03, column + 0.97], row + 0.06, row + 0.94, color="#ff8c00", linewidth=0)
    cell.set_alpha(share)
    axes.text(column + 0.5, row + 0.4, literal(token.token, _TOKEN), ha="center", va="center", fontsize=10, clip_on=True)
    weight = number(token.weight, 3)
    axes.text(column + 0.5, row + 0.75, weight, ha="center", va="center", fontsize=7, color="#555555")
