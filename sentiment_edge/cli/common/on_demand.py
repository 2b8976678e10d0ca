"""Commands that are imported and built when they are first asked for: a call needs one of them, only the help needs all."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

import typer
from typer.main import get_command

from sentiment_edge.cli.common.mistakes import BundleCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


class CommandsOnDemand(Mapping[str, "Any"]):  # a typer command, of a class that depends on typer's version
    """Commands by name. Each is the function of that name in the module of that name beside this folder."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as above
        """Return a command.

        Raises:
            KeyError: there is none of that name.
        """
        if name not in self._names:
            raise KeyError(name)
        if name not in self._built:
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(cls=BundleCommand)(getattr(import_module(f"sentiment_edge.cli.{name}"), name))
            self._built[name] = get_command(alone)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in the order of the help."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return the number of commands."""
        return len(self._names)
