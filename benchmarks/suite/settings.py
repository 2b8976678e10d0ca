"""The choices of one run of the suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Given once, read by every part."""

    shared: Path
    """The folder of trained checkpoints, labelled texts and a vocabulary; what it lacks is left out, in so many words."""
    scratch: Path
    """The folder for files that later runs take over."""
    threads: int
    rounds: int
    """Of short measurements; long ones get fewer."""
    share: float
    """The share of the usual texts that bulk runs label."""

    @property
    def few_rounds(self) -> int:
        """The rounds of whatever takes seconds."""
        return (self.rounds + 1) // 2
