"""Attention per token as a PNG picture; needs the extra `plot`."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sentiment_edge_runtimes.prediction import Explanation, TokenWeight

_TOKENS_PER_ROW = 10
_CELL = (1.2, 0.75)
"""Inches."""


def picture(explanation: Explanation) -> bytes:
    """Return a PNG of the tokens in reading order, each in a cell shaded by its weight."""
    tokens = explanation.tokens
    rows = -(-len(tokens) // _TOKENS_PER_ROW)
    columns = min(len(tokens), _TOKENS_PER_ROW)
    figure = Figure(figsize=(_CELL[0] * max(columns, 4) + 0.4, _CELL[1] * rows + 0.8), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, max(columns, 4)), ylim=(rows, 0))
    axes.set_axis_off()
    axes.set_title(f"{explanation.prediction.label}  {explanation.prediction.score:.4f}", loc="left")
    peak = max(token.weight for token in tokens)
    for index, token in enumerate(tokens):
        row, column = divmod(index, _TOKENS_PER_ROW)
        _draw(axes, (column, row), token, token.weight / peak)
    png = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # characters that the font lacks show as boxes
        figure.savefig(png, format="png", dpi=120)
    return png.getvalue()


def _draw(axes: Axes, corner: tuple[int, int], token: TokenWeight, share: float) -> None:
    column, row = corner
    cell = axes.fill_between([column + 0.03, column + 0.97], row + 0.06, row + 0.94, color="#ff8c00", linewidth=0)
    cell.set_alpha(share)
    plain = token.token.replace("$", r"\$")  # matplotlib would read a formula
    axes.text(column + 0.5, row + 0.4, plain, ha="center", va="center", fontsize=10, clip_on=True)
    axes.text(column + 0.5, row + 0.75, f"{token.weight:.3f}", ha="center", va="center", fontsize=7, color="#555555")
