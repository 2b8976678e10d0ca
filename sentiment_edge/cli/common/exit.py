"""The end of a command: 0 done, 1 a named error, 2 wrong usage, 3 parity refused, 130 interrupted; a closed pipe is quiet."""

from __future__ import annotations

import errno
import io
import os
import sys

import typer
from typer.core import TyperCommand

from sentiment_edge.cli.common.flags import flags_of
from sentiment_edge.cli.common.terminal import warn
from sentiment_edge_runtimes.errors import SentimentEdgeError


class Command(TyperCommand):
    """A command whose errors become one line on stderr and an exit status."""

    def invoke(self, ctx: typer.Context) -> None:  # type: ignore[override]  # typer has a click of its own, or not
        """Run the command."""
        _write_utf8()
        with flags_of(self):
            try:
                super().invoke(ctx)
            except SentimentEdgeError as error:
                warn(str(error))
                raise typer.Exit(error.exit_status) from None
            except OSError as error:
                if _is_closed_pipe(error):
                    _discard_stdout()
                    raise typer.Exit(0) from None
                typer.echo(f"sentiment-edge: {error.filename or 'output'}: {error.strerror or error}", err=True)
                raise typer.Exit(1) from None


def _write_utf8() -> None:
    """Make the output UTF-8 whatever the locale: texts and labels may be in any script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _is_closed_pipe(error: OSError) -> bool:
    """Return whether nobody reads the pipe any more; Windows says EINVAL then, but of a bad file name too."""
    return error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL and error.filename is None)


def _discard_stdout() -> None:
    """Drop what is still buffered: Python flushes it at exit and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
