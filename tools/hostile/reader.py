"""A reader of files, as the harness knows it: an input is made, then read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

Group = Literal["light", "torch", "native"]
"""What a reader needs: nothing beyond the base, torch, or a native library whose own parser is tried."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader: `make` writes an input into an empty folder, `read` reads it as a user's program would."""

    make: Callable[[Random, Path], None]
    read: Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Entry:
    """A reader in the list: its name, the module that has it in `READERS`, and its share of the inputs."""

    name: str
    module: str
    share: int
    group: Group = "light"
