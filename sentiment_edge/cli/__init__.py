"""The command `sentiment-edge`. Each of its commands parses, makes one call and prints, and imports what it needs then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.exit import Commands
from sentiment_edge.cli.common.on_demand import CommandsOnDemand

if TYPE_CHECKING:
    from typing import Any

__all__ = ["app"]

_NAMES = ("models", "export", "predict", "explain", "evaluate", "verify", "bench", "serve", "web", "doctor")


class _Commands(Commands):
    """All commands, in the order of the help."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - as typer has them
        super().__init__(**settings)
        self.commands = CommandsOnDemand(_NAMES)  # type: ignore[assignment]  # nothing is added to it


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help starts faster and pipes well
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
