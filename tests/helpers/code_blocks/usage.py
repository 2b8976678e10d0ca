"""Whether a command of ours that is not run has the options that it is given."""

from __future__ import annotations

import shlex
from typing import Any

import typer
from typer.main import get_command

from sentiment_edge.cli import app

_PROGRAM = "sentiment-edge"
_ENDS = {"|", "||", "&&", "&", ";", "<", ">", ">>", "2>"}
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # typer has a click of its own, or not


def misused(text: str) -> str:
    """Return what is wrong with the first call of our program in a command; empty where nothing is."""
    words = shlex.split(text, comments=True)
    starts = [index for index, word in enumerate(words) if word.rpartition("/")[2] == _PROGRAM and _begins(words[:index])]
    if not starts:
        return ""
    given = words[starts[0] + 1 :]
    given = given[: next((index for index, word in enumerate(given) if word in _ENDS), len(given))]
    group: Any = get_command(app)
    try:
        context = group.context_class(group, info_name=_PROGRAM)
        name, command, arguments = group.resolve_command(context, given)
        _check(command, command.context_class(command, parent=context, info_name=name), arguments)
    except _UsageError as error:
        return str(getattr(error, "message", error))
    return ""


def _begins(before: list[str]) -> bool:
    """Tell whether the word after these is a program, not an argument of one."""
    return not before or before[-1] in _ENDS or "=" in before[-1]


def _check(command: Any, context: Any, arguments: list[str]) -> None:
    """Raise a usage error for an unknown option, or a value that is none of its choices."""
    values, _, _ = command.make_parser(context).parse_args(arguments)
    for parameter in command.params:
        choices = (parameter.metavar or "").split("|")  # as the help shows them: some are checked only when a command runs
        given = values.get(parameter.name)
        for value in given if isinstance(given, list) else [given]:
            if isinstance(value, str) and len(choices) > 1 and value not in choices:
                raise _UsageError(f"{parameter.opts[0]} is one of {', '.join(choices)}, not {value}")
