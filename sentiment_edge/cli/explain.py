"""`sentiment-edge explain`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

_MOST_ARGUMENTS = 2


def explain(
    arguments: Annotated[
        list[str],
        typer.Argument(metavar="[BUNDLE] TEXT", help="The text, after the bundle's folder where it is not the default."),
    ],
    html: Annotated[Path | None, typer.Option(help="Write a self-contained page.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write a picture.")] = None,
) -> None:
    """Show how much attention each token of a text got."""
    if len(arguments) > _MOST_ARGUMENTS:
        raise typer.BadParameter("give one text; quote it if it has spaces")
    from sentiment_edge_runtimes.classifier import load

    *bundle, text = arguments
    explanation = load(*bundle).explain(text)
    if html is not None:
        from sentiment_edge.heatmap.page import page

        _write(html, page(explanation).encode("utf-8", "replace"))
    if png is not None:
        from sentiment_edge.extras import needs_extra

        with needs_extra("plot"):
            from sentiment_edge.heatmap.picture import picture
        _write(png, picture(explanation))
    if html is None and png is None:
        from rich.console import Console

        from sentiment_edge.heatmap.terminal import heatmap

        Console(file=sys.stdout).print(heatmap(explanation))


def _write(path: Path, contents: bytes) -> None:
    """Write beside the target, then rename: a full disk must not leave half a file."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(contents)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
