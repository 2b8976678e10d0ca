"""The bundles that ports are tried on."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

from tools.steps import run_step

if TYPE_CHECKING:
    from pathlib import Path


class Tried(NamedTuple):
    """A bundle that ports are tried on."""

    name: str
    tokenizer: str
    """The type of its tokenizer's model."""
    path: Path


def make_bundles(folder: Path, default: Path) -> list[Tried]:
    """Export the bundles anew, and return them with the default one.

    A process of its own exports them: what that loads would count into the peak memory of the processes that this one starts.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run_step([sys.executable, "-m", "tools.ports.exports", folder])
    made = [Tried(path.name.partition(".")[2], path.name.partition(".")[0], path) for path in sorted(folder.glob("*.*"))]
    return [Tried("default", "WordPiece", default), *made]
