"""What the command line knows of its terminal."""

from __future__ import annotations

import sys
import time

_QUIET_SECONDS, _REFRESH_SECONDS = 2.0, 0.5
"""How long a run may take before it shows progress, and how often it then does."""


def shows_progress() -> bool:
    """Whether stderr is a terminal; a daemon may have closed it."""
    return sys.stderr is not None and sys.stderr.isatty()


class Progress:
    """Shows on stderr how many lines are done, once the run has taken a while; never where it is not `shown`."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._lines = 0
        self._start = time.monotonic()
        self._refreshed = 0.0

    def add(self, lines: int) -> None:
        """Count lines that are done."""
        self._lines += lines
        seconds = time.monotonic() - self._start
        if self._shown and seconds > max(_QUIET_SECONDS, self._refreshed + _REFRESH_SECONDS):
            self._refreshed = seconds
            sys.stderr.write(f"\r{self._lines:,} lines, {self._lines / seconds:,.0f} a second ")
            sys.stderr.flush()

    def close(self) -> None:
        """Leave the line that was shown."""
        if self._refreshed:
            sys.stderr.write("\n")
            self._refreshed = 0.0
