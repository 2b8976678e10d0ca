"""The port to Node."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tools.ports.port import check_programs
from tools.steps import REPOSITORY, run_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentiment_edge_runtimes.vocabulary import EngineName
    from tools.ports.port import Command

_TOGETHER = "8"


class Node:
    """examples/node, with a text alone and with several in a batch."""

    name = "Node"
    engine: EngineName = "onnxruntime"
    tokenizers = frozenset({"WordPiece", "BPE"})
    refused: frozenset[str] = frozenset()
    peaks: Mapping[str, float] = {}
    _folder = Path()

    def set_up(self, folder: Path) -> None:
        """Install what package.json names. Its scripts are left out: they would download libraries for GPUs."""
        check_programs("node", "npm")
        self._folder = folder
        for path in (REPOSITORY / "examples/node").glob("*.*js*"):
            shutil.copy(path, folder)
        run_step(["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"])

    def golden(self, bundle: Path) -> Sequence[Command]:
        """Return the program for texts alone, and for several together."""
        command: list[str | Path] = ["node", self._folder / "golden.mjs", bundle]
        return [command, [*command, _TOGETHER]]
