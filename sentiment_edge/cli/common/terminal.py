"""Output of commands to stderr: warnings, and progress if it is a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer

from sentiment_edge.cli.common.flags import with_flags
from sentiment_edge.render.text import visible
from sentiment_edge_runtimes.progress import Progress

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_QUIET_SECONDS, _REFRESH_SECONDS = 2.0, 0.5
"""Seconds until a run shows its count of lines, and between two updates of the count."""


def shows_progress() -> bool:
    """Return whether stderr is a terminal; a daemon may have closed it."""
    return sys.stderr is not None and sys.stderr.isatty()


def say(text: str) -> None:
    """Write one line to stderr: whatever a path or a label holds, the terminal shows it and does not obey it."""
    typer.echo(visible(text), err=True)


def warn(text: str, *details: str) -> None:
    """Write one line to stderr, and a line for each detail, with options named as flags of the running command."""
    for line in (f"sentiment-edge: {text}", *details):
        say(with_flags(line))


class TerminalProgress(Progress):
    """Progress on stderr: remarks; if it is `shown`, stages too, and after a while a count of the lines that are done.

    As a context manager it ends the line of the count at last.
    """

    def __init__(self, *, shown: bool | None = None) -> None:
        self._shown = shows_progress() if shown is None else shown
        self._lines = 0
        self._start = time.monotonic()
        self._refreshed = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end_line()

    def stage(self, name: str) -> None:
        """Show a stage that begins."""
        self._end_line()
        if self._shown:
            say(f"{name} ...")

    def remark(self, text: str) -> None:
        """Write a remark, whether progress is shown or not."""
        self._end_line()
        warn(text)

    def advance(self, items: int) -> None:
        """Count lines that are done."""
        self._lines += items
        seconds = time.monotonic() - self._start
        if self._shown and seconds > max(_QUIET_SECONDS, self._refreshed + _REFRESH_SECONDS):
            self._refreshed = seconds
            sys.stderr.write(f"\r{self._lines:,} lines, {self._lines / seconds:,.0f} a second ")
            sys.stderr.flush()

    def _end_line(self) -> None:
        """End the line of the count, if one is shown."""
        if self._refreshed:
            sys.stderr.write("\n")
            self._refreshed = 0.0
