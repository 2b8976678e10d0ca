"""Weights per token or word as a PNG picture; needs the extra `plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.explanation.shares import cost, shares, titled, weight_of
from sentiment_edge.render.picture import literal, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sentiment_edge_runtimes.prediction import Explanation

_TOKENS_PER_ROW = 10
_CELL = (1.2, 0.75)
"""Inches."""
_TITLE, _TOKEN, _LABEL = 60, 14, 20
"""The most characters of the title, of a token and of the label below; more do not fit."""
_FOR, _AGAINST = "#ff8c00", "#3282ff"


def picture(explanation: Explanation) -> bytes:
    """Return a PNG of the tokens or words in reading order, each in a cell shaded by its weight."""
    tokens = explanation.tokens
    rows = max(1, -(-len(tokens) // _TOKENS_PER_ROW))
    columns = max(4, min(len(tokens), _TOKENS_PER_ROW))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set(xlim=(0, columns), ylim=(rows, 0))
        axes.set_axis_off()
        axes.set_title(literal(titled(explanation.prediction), _TITLE), loc="left")
        if explanation.method == "occlusion":
            label = literal(explanation.prediction.label, _LABEL)
            figure.supxlabel(f"orange: for {label}, blue: against ({cost(explanation)})", fontsize=8)
        for index, (token, share) in enumerate(zip(tokens, shares(tokens), strict=True)):
            row, column = divmod(index, _TOKENS_PER_ROW)
            _draw(axes, (column, row), (token.token, weight_of(token, explanation, 3)), share)

    return png((_CELL[0] * columns + 0.4, _CELL[1] * rows + 0.8), draw)


def _draw(axes: Axes, corner: tuple[int, int], shown: tuple[str, str], share: float) -> None:
    column, row = corner
    colour = _AGAINST if share < 0 else _FOR
    cell = axes.fill_between([column + 0.03, column + 0.97], row + 0.06, row + 0.94, color=colour, linewidth=0)
    cell.set_alpha(abs(share))
    token, weight = shown
    axes.text(column + 0.5, row + 0.4, literal(token, _TOKEN), ha="center", va="center", fontsize=10, clip_on=True)
    axes.text(column + 0.5, row + 0.75, weight, ha="center", va="center", fontsize=7, color="#555555")
