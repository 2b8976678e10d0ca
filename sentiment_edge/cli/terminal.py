"""What the command line knows of its terminal."""

from __future__ import annotations

import sys


def shows_progress() -> bool:
    """Whether stderr is a terminal; a daemon may have closed it."""
    return sys.stderr is not None and sys.stderr.isatty()
