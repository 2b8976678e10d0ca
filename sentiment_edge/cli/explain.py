"""`sentiment-edge explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.options import EngineOption, JsonOption, PictureOption
from sentiment_edge.cli.common.output import write_page, write_whole
from sentiment_edge_runtimes.vocabulary import MethodChoice

if TYPE_CHECKING:
    from sentiment_edge_runtimes.prediction import Explanation

_MOST_ARGUMENTS = 2


def explain(
    arguments: Annotated[
        list[str],
        typer.Argument(metavar="[BUNDLE] TEXT", help="The text, after the bundle's folder unless it is the built-in one."),
    ],
    method: Annotated[
        MethodChoice,
        typer.Option(
            help="attention: the share that each token got; occlusion: what the label's probability loses without each word, "
            "a run of the model for each, at most 161; auto takes attention where the model has some."
        ),
    ] = "auto",
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a self-contained page to this file.")] = None,
    png: PictureOption = None,
    engine: EngineOption = "auto",
    print_json: JsonOption = False,
) -> None:
    """Show which words of a text speak for its label, or how much attention each token got."""
    if len(arguments) > _MOST_ARGUMENTS:
        raise typer.BadParameter("give one text; quote it if it has spaces")
    if html is not None and html == png:
        raise typer.BadParameter("--html and --png are the same file")
    from sentiment_edge.explanation.page import page
    from sentiment_edge.explanation.text import text
    from sentiment_edge.render.json_text import json_text
    from sentiment_edge_runtimes.classifier import load

    *bundle, explained = arguments
    explanation = load(*bundle, engine=engine).explain(explained, method)
    picture = None if png is None else _picture(explanation)  # before any file is written: its extra may be missing
    if html is not None:
        write_page(html, page(explanation))
    if png is not None and picture is not None:
        write_whole(png, picture)
    if print_json:
        typer.echo(json_text(explanation.to_dict()))
    elif html is None and png is None:
        typer.echo(text(explanation), nl=False, color=True)


def _picture(explanation: Explanation) -> bytes:
    from sentiment_edge.extras import needs_extra

    with needs_extra("plot"):
        from sentiment_edge.explanation.picture import picture
    return picture(explanation)
