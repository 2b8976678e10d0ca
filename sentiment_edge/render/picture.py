"""Pictures that show text as it is; needs the extra `plot`."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from sentiment_edge.render.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable


def png(size: tuple[float, float], draw: Callable[[Figure], None]) -> bytes:
    """Return a picture of this width and height in inches as a PNG file."""
    contents = io.BytesIO()
    # The user's settings hold, fonts among them, but nobody's text becomes a program for TeX.
    with mpl.rc_context({"text.usetex": False}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the font lacks shows as boxes, what is too long is cut
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(contents, format="png", dpi=120)
    return contents.getvalue()


def literal(text: str, width: int) -> str:
    """Return text for a picture, as `plain` has it, with the signs escaped that matplotlib would read as a formula's."""
    return plain(text, width).replace("$", r"\$")
