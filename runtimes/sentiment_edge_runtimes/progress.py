"""Reports of long work while it runs, such as an export, an evaluation, a benchmark or the reading of a large file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Progress:
    """A listener to long work. Each method does nothing here; a subclass overrides those that it wants to hear.

    Texts may name an option as Python has it, in backticks; a command line shows its flag instead.
    """

    def stage(self, name: str) -> None:
        """Hear that a stage begins, in a few words."""

    def expect(self, stages: Sequence[tuple[str, float]]) -> None:
        """Hear the stages that are still to come, by name and in order, and how long each takes in proportion to the others."""

    def share(self, done: float) -> None:
        """Hear what share of the running stage is done, from 0 to 1."""

    def remark(self, text: str) -> None:
        """Hear something that the user should know, in one line: what was assumed, chosen or left out."""

    def advance(self, items: int) -> None:
        """Hear that more items are done, such as lines; `items` is their number."""


SILENT = Progress()
"""The default: nobody listens."""
