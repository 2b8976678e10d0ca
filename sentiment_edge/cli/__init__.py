"""The command `sentiment-edge`. Each of its commands parses, makes one call and prints, and imports what it needs then."""

from __future__ import annotations

from typing import Annotated

import typer

from sentiment_edge.cli.bench import bench
from sentiment_edge.cli.common.exit import Commands
from sentiment_edge.cli.common.mistakes import BundleCommand
from sentiment_edge.cli.doctor import doctor
from sentiment_edge.cli.evaluate import evaluate
from sentiment_edge.cli.explain import explain
from sentiment_edge.cli.export import export
from sentiment_edge.cli.models import models
from sentiment_edge.cli.predict import predict
from sentiment_edge.cli.serve import serve
from sentiment_edge.cli.verify import verify

__all__ = ["app"]

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help starts faster and pipes well
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (models, export, predict, explain, evaluate, verify, bench, serve, doctor):
    app.command(cls=BundleCommand)(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("sentiment-edge"))
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Trained sentiment classifiers, small and fast on any CPU, with torch's answers and without torch."""
