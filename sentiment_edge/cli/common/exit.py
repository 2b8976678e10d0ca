"""The end of a command: 0 done, 1 a named error, 2 wrong usage, 3 parity refused, 130 interrupted; a closed pipe is quiet."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

import typer
from typer.core import TyperCommand, TyperGroup

from sentiment_edge.cli.common.flags import flags_of
from sentiment_edge.cli.common.native_stderr import panics_hidden
from sentiment_edge.cli.common.terminal import say, warn
from sentiment_edge.render.text import visible
from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # typer has a click of its own, or not


class Command(TyperCommand):
    """A command whose errors become one line on stderr and an exit status."""

    def invoke(self, ctx: typer.Context) -> None:  # type: ignore[override]  # typer has a click of its own, or not
        """Run the command."""
        _write_utf8()
        with panics_hidden(), flags_of(self):
            try:
                super().invoke(ctx)
            except SentimentEdgeError as error:
                warn(str(error))
                raise typer.Exit(error.exit_status) from None
            except OSError as error:
                if _is_closed_pipe(error):
                    discard_stdout()
                    raise typer.Exit(0) from None
                if error.filename is None:  # of stdout, which would fail once more at exit
                    discard_stdout()
                say(f"sentiment-edge: {error.filename or 'output'}: {error.strerror or error}")
                raise typer.Exit(1) from None


class Commands(TyperGroup):
    """The group of all commands: wrong usage is named as `warn` would, whatever is in the words of the command line."""

    def make_context(  # type: ignore[override]  # as above
        self, info_name: str | None, args: list[str], parent: typer.Context | None = None, **extra: object
    ) -> typer.Context:
        """Read the words before the command's name."""
        with _visible_usage() if args else nullcontext():  # without words the error is the help, which has many lines
            return super().make_context(info_name, args, parent, **extra)  # type: ignore[return-value]

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Read the words after the command's name, and run the command."""
        with _visible_usage():
            return super().invoke(ctx)


@contextmanager
def _visible_usage() -> Iterator[None]:
    """Make the message of a usage error visible, one line."""
    try:
        yield
    except _UsageError as error:
        error.message = visible(error.message)  # type: ignore[attr-defined]
        raise


def _write_utf8() -> None:
    """Make the output UTF-8 whatever the locale: texts and labels may be in any script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _is_closed_pipe(error: OSError) -> bool:
    """Return whether nobody reads the pipe any more; Windows says EINVAL then, but of a bad file name too."""
    return error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL and error.filename is None)


def discard_stdout() -> None:
    """Drop what is still buffered: Python flushes it at exit and would complain."""
    with suppress(io.UnsupportedOperation):  # a stdout in memory
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
