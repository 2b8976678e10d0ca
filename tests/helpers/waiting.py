"""Waiting for what another process does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_HANGS = 600
"""Seconds after which it is taken never to come, not to be slow."""


def eventually(met: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + _HANGS
    while not met():
        assert time.monotonic() < end
        time.sleep(0.05)
