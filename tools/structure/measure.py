"""One figure of the code, with its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Measure(NamedTuple):
    """A figure, its limit, and what breaks it."""

    name: str
    value: float
    limit: float
    offenders: tuple[str, ...] = ()
    """Each with its file and line."""

    @property
    def kept(self) -> bool:
        """Whether the figure is within its limit."""
        return self.value <= self.limit


def count(name: str, offenders: Iterable[str]) -> Measure:
    """Measure something that must not occur at all."""
    found = tuple(offenders)
    return Measure(name, len(found), 0, found)


def largest(name: str, sizes: dict[str, int], limit: int) -> Measure:
    """Measure the largest of some sizes; the keys say what each is the size of."""
    offenders = (f"{what}: {size}" for what, size in sizes.items() if size > limit)
    return Measure(name, max(sizes.values(), default=0), limit, tuple(offenders))
