"""The commands with their arguments and options: flags, types, limits, choices, defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer.main

from sentiment_edge.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator


def describe() -> Iterator[str]:
    """Yield a line for each command and each of its parameters."""
    group: Any = typer.main.get_command(app)
    yield "sentiment-edge"
    yield from map(_parameter, group.params)
    for name, command in group.commands.items():
        yield from ("", f"sentiment-edge {name}")
        yield from map(_parameter, command.params)


def _parameter(parameter: Any) -> str:  # noqa: ANN401 - typer's own classes are private to it
    names = [*parameter.opts, *parameter.secondary_opts]
    flags = " ".join(names) if parameter.param_type_name == "option" else str(parameter.metavar or names[0].upper())
    takes = "" if getattr(parameter, "is_flag", False) else f" {_values(parameter)}"
    required = ", required" if parameter.required else ""
    repeatable = ", repeatable" if parameter.multiple or parameter.nargs != 1 else ""
    default = "" if parameter.default in {None, False} else f", default {parameter.default}"
    return f"    {flags}{takes}{required}{repeatable}{default}"


def _values(parameter: Any) -> str:  # noqa: ANN401
    kind = parameter.type
    if hasattr(kind, "choices"):
        return "|".join(map(str, kind.choices))
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    limits = [f"from {low}"] * (low is not None) + [f"to {high}"] * (high is not None)
    existing = ["that exists"] * getattr(kind, "exists", False)
    shown = [f"as {parameter.metavar}"] * (parameter.metavar is not None and parameter.param_type_name == "option")
    return " ".join([kind.name.removesuffix(" range"), *limits, *existing, *shown])
