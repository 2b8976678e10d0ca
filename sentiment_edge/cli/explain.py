"""`sentiment-edge explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.options import EngineOption
from sentiment_edge.cli.common.output import write_whole

if TYPE_CHECKING:
    from sentiment_edge_runtimes.prediction import Explanation

_MOST_ARGUMENTS = 2
_WIDE = 1000
"""Columns: the table takes what it needs; a narrow terminal may wrap it, but no token is cut off."""


def explain(
    arguments: Annotated[
        list[str],
        typer.Argument(metavar="[BUNDLE] TEXT", help="The text, after the bundle's folder where it is not the default."),
    ],
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a self-contained page.")] = None,
    png: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a picture.")] = None,
    engine: EngineOption = "auto",
) -> None:
    """Show how much attention each token of a text got."""
    if len(arguments) > _MOST_ARGUMENTS:
        raise typer.BadParameter("give one text; quote it if it has spaces")
    if html is not None and html == png:
        raise typer.BadParameter("--html and --png are the same file")
    from sentiment_edge_runtimes.classifier import load

    *bundle, text = arguments
    explanation = load(*bundle, engine=engine).explain(text)
    written = {path: render(explanation) for path, render in ((html, _page), (png, _picture)) if path is not None}
    for path, contents in written.items():
        write_whole(path, contents)
    if not written:
        typer.echo(_table(explanation), nl=False, color=True)


def _page(explanation: Explanation) -> bytes:
    from sentiment_edge.explanation.page import page

    return page(explanation).encode("utf-8", "replace")


def _picture(explanation: Explanation) -> bytes:
    from sentiment_edge.extras import needs_extra

    with needs_extra("plot"):
        from sentiment_edge.explanation.picture import picture
    return picture(explanation)


def _table(explanation: Explanation) -> str:
    """Return the table with the colours that this terminal has; none for a file or a pipe."""
    from rich.console import Console

    from sentiment_edge.explanation.text import heatmap

    console = Console(width=_WIDE)
    with console.capture() as captured:
        console.print(heatmap(explanation))
    return captured.get()
