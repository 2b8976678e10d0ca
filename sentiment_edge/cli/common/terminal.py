"""Output of commands to stderr: warnings, and progress if it is a terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import typer

from sentiment_edge.cli.common.estimate import Estimate, about
from sentiment_edge.cli.common.flags import with_flags
from sentiment_edge.render.text import visible
from sentiment_edge_runtimes.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence
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

    Where the stages are expected, the one that runs has its place, its share and the time left of the whole, in one line that
    changes. As a context manager it clears that line, or ends that of the count, at last.
    """

    def __init__(self, *, shown: bool | None = None) -> None:
        self._shown = shows_progress() if shown is None else shown
        self._estimate: Estimate | None = None
        self._texts = 0
        self._first: float | None = None
        self._done = 0.0
        self._start = time.monotonic()
        self._refreshed = 0.0
        self._width = 0
        """Characters of the line that can still change; 0 if there is none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end_line()

    def expect(self, stages: Sequence[tuple[str, float]]) -> None:
        """Note the stages that are to come."""
        self._estimate = Estimate(stages)

    def stage(self, name: str) -> None:
        """Show a stage that begins."""
        if self._estimate is not None:
            self._estimate.begin(name, time.monotonic())
            self._show(self._estimate.line(time.monotonic()))
            return
        self._end_line()
        if self._shown:
            say(f"{name} ...")

    def share(self, done: float) -> None:
        """Show the share of the running stage, if some time has passed or the stage is done; without stages with the count."""
        self._first = done if self._first is None else self._first
        self._done = done
        if self._estimate is not None:
            self._estimate.advance(done)
            if self._is_due() or done >= 1:
                self._show(self._estimate.line(time.monotonic()))

    def remark(self, text: str) -> None:
        """Write a remark, whether progress is shown or not."""
        self._end_line()
        warn(text)

    def advance(self, items: int) -> None:
        """Count texts that are done."""
        self._texts += items
        seconds = time.monotonic() - self._start
        if seconds > _QUIET_SECONDS and self._is_due():
            self._show(f"{self._texts:,} texts, {self._texts / seconds:,.0f} a second {self._left(seconds)}")

    def _left(self, seconds: float) -> str:
        """Return the share that is done, and the time left after so many seconds; a run that goes on began with a part done."""
        if self._first is None or self._done <= self._first:
            return ""
        left = (1 - self._done) * seconds / (self._done - self._first)
        return f"({100 * self._done:.0f} %, about {about(left)} left) "

    def _is_due(self) -> bool:
        return time.monotonic() - self._start > self._refreshed + _REFRESH_SECONDS

    def _show(self, line: str) -> None:
        """Show a line in the place of the last one."""
        if self._shown:
            line = visible(line)[: _columns()]
            sys.stderr.write(f"\r{line:{self._width}}")
            sys.stderr.flush()
            self._refreshed, self._width = time.monotonic() - self._start, len(line)

    def _end_line(self) -> None:
        """End the line that can still change, if there is one: a count stays, an estimate is of no use any more."""
        if self._width:
            sys.stderr.write("\n" if self._estimate is None else f"\r{'':{self._width}}\r")
            sys.stderr.flush()
            self._width = 0


def _columns() -> int | None:
    """Return the longest line that a terminal can change in its place; None if it does not tell its width."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):  # no terminal
        return None
    return columns - 1 if columns > 1 else None
