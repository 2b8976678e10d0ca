"""What long work says of itself while it runs, whoever does it: an export, an evaluation, a benchmark, reading a file."""

from __future__ import annotations


class Progress:
    """Listens to long work. Each method does nothing here; a subclass overrides those that it wants to hear.

    Texts may name an option as Python has it, in backticks; a command line shows its flag instead.
    """

    def stage(self, name: str) -> None:
        """Hear that a stage begins, in a few words."""

    def remark(self, text: str) -> None:
        """Hear something that the user should know, in one line: what was assumed, chosen or left out."""

    def advance(self, items: int) -> None:
        """Hear that so many more items are done, such as lines."""


SILENT = Progress()
"""For work that nobody listens to."""
