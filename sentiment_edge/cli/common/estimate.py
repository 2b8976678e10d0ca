"""The progress of work in stages: which one runs, its share, and the time left of the whole."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENOUGH = 0.08
"""The share of the whole that must be done before its speed says something about the rest."""
_MINUTE, _STEP = 60, 10


class Estimate:
    """Stages with the time that each takes in proportion to the others; the clock tells how fast this machine is."""

    def __init__(self, stages: Sequence[tuple[str, float]]) -> None:
        self._upcoming = [*stages]
        self._whole = sum(size for _, size in stages)
        self._count = 0
        self._done = 0.0
        """Sizes of the stages that are done."""
        self._spent = 0.0
        """Seconds that they took."""
        self._name = ""
        self._size: float | None = 0.0
        """Of the stage that runs; None for one that was not expected, whose time is not known."""
        self._share: float | None = None
        self._start = 0.0

    def begin(self, name: str, now: float) -> None:
        """Begin a stage: expected ones before it are skipped, one that was not expected is put in."""
        if self._size:
            self._done, self._spent = self._done + self._size, self._spent + now - self._start
        names = [expected for expected, _ in self._upcoming]
        known = name in names
        self._size = self._upcoming[names.index(name)][1] if known else None
        self._upcoming = self._upcoming[names.index(name) + 1 :] if known else self._upcoming
        self._count += 1
        self._name, self._share, self._start = name, None, now

    def advance(self, share: float) -> None:
        """Note the share of the running stage that is done."""
        self._share = share

    def line(self, now: float) -> str:
        """Return the running stage with its place, its share, and the time that is left, as far as these are known."""
        share = "" if self._share is None else f" {self._share:.0%}".replace("%", " %")
        left = self._left(now)
        time = "" if left is None or not isfinite(left) else f", about {about(left)} left"
        return f"[{self._count}/{self._count + len(self._upcoming)}] {self._name}{share}{time}{'' if share or time else ' ...'}"

    def _left(self, now: float) -> float | None:
        if self._size is None:
            return self._left_of_unexpected(now)
        running, elapsed = self._size * (self._share or 0), now - self._start
        done, spent = self._done + running, self._spent + (elapsed if running else 0)
        if not done or done < _ENOUGH * self._whole:
            return None
        left = (self._size - running + sum(size for _, size in self._upcoming)) * spent / done
        return max(0.0, left - (0 if running else elapsed))

    def _left_of_unexpected(self, now: float) -> float | None:
        """Return the time of the rest of a stage by its own share, and of those that follow by what is done before."""
        if not self._share or self._share < _ENOUGH or (self._upcoming and not self._done):
            return None
        rest = sum(size for _, size in self._upcoming) * self._spent / self._done if self._upcoming else 0
        return (now - self._start) * max(0.0, 1 - self._share) / self._share + rest


def about(seconds: float) -> str:
    """Return a time as nobody would take for exact."""
    if seconds < _MINUTE:
        return f"{max(_STEP, _STEP * round(seconds / _STEP))} s"
    return f"{round(seconds / _MINUTE)} min"
