"""How a command ends: 0 done, 1 a named error, 2 usage, 3 parity refused, 130 interrupted; a closed pipe ends quietly."""

from __future__ import annotations

import errno
import functools
import io
import os
import sys
from typing import TYPE_CHECKING, ParamSpec

import typer

from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")


def with_outcome(command: Callable[_P, None]) -> Callable[_P, None]:
    """Return the command with its errors turned into one line on stderr and an exit status."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        _write_utf8()
        try:
            command(*args, **kwargs)
        except SentimentEdgeError as error:
            typer.echo(f"sentiment-edge: {error}", err=True)
            raise typer.Exit(error.exit_status) from None
        except OSError as error:
            if _is_closed_pipe(error):
                _discard_stdout()
                raise typer.Exit(0) from None
            typer.echo(f"sentiment-edge: {error.filename or 'output'}: {error.strerror or error}", err=True)
            raise typer.Exit(1) from None

    return run


def _write_utf8() -> None:
    """Make the output UTF-8 whatever the locale: texts and labels are of any script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _is_closed_pipe(error: OSError) -> bool:
    """Windows says EINVAL of a pipe that nobody reads, but of a bad file name too."""
    return error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL and error.filename is None)


def _discard_stdout() -> None:
    """Send what is still buffered nowhere: Python flushes it at exit and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
