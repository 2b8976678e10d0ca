"""A port: a program in another language that runs bundles."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sentiment_edge_runtimes.vocabulary import EngineName

    Command = Sequence[str | Path]


class Unavailable(Exception):
    """Something that a port needs cannot be had here."""


class Port(Protocol):
    """Everything that is asked of a port."""

    name: str
    engine: EngineName
    """Whose model it runs."""
    tokenizers: frozenset[str]
    """The types of tokenizers that it knows; it must refuse others."""
    refused: frozenset[str]
    """Names of bundles that it refuses all the same."""
    peaks: Mapping[str, float]
    """The most MB that it may take, by the names of bundles."""

    def set_up(self, folder: Path) -> None:
        """Build or install it in a folder.

        Raises:
            Unavailable: it cannot be had here.
        """

    def golden(self, bundle: Path) -> Sequence[Command]:
        """Return the programs that prove it by a bundle's golden outputs; each prints a JSON object."""


def check_programs(*names: str) -> None:
    """Check that programs are installed.

    Raises:
        Unavailable: one is not.
    """
    for name in names:
        if not shutil.which(name):
            raise Unavailable(f"{name} is not installed")
