"""Flags in messages: the library names an option as Python has it, in backticks, and here it becomes the command's flag."""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from typer.core import TyperOption

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typer.core import TyperCommand

_FLAGS: ContextVar[Mapping[str, str]] = ContextVar("flags", default={})  # noqa: B039 - it is never changed
"""The flag of each parameter of the running command."""
_ALIASES = {
    "engine": "engines",
    "engines": "engine",
    "format": "record_format",
    "fusion": "no_fusion",
    "precision": "int8",
    "texts": "parity_data",
}
"""Options of the library that are a command's parameter under another name."""
_OPTION = re.compile(r"`([a-z][a-z0-9_]*)`")


@contextmanager
def flags_of(command: TyperCommand) -> Iterator[None]:
    """Let `with_flags` name the flags of this command while the block runs."""
    options = (parameter for parameter in command.params if isinstance(parameter, TyperOption))
    token = _FLAGS.set({str(option.name): option.opts[0] for option in options})
    try:
        yield
    finally:
        _FLAGS.reset(token)


def with_flags(text: str) -> str:
    """Return a message with each option in backticks replaced by the running command's flag, if it has one."""
    return _OPTION.sub(_flag, text)


def _flag(found: re.Match[str]) -> str:
    name, flags = found[1], _FLAGS.get()
    return flags.get(name) or flags.get(_ALIASES.get(name, "")) or found[0]
