"""The port of a bundle's tokenizer to OpenVINO, which its C++ programs run before the model."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from tools.ports.port import Unavailable
from tools.steps import REPOSITORY, run_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sentiment_edge_runtimes.vocabulary import EngineName
    from tools.ports.port import Command


class OpenVinoTokenizer:
    """examples/openvino_tokenizer.py, with the `openvino-tokenizers` of the OpenVINO that is installed here."""

    name = "OpenVINO (ids only)"
    engine: EngineName = "openvino"
    tokenizers = frozenset({"WordPiece"})
    refused = frozenset({"xlnet"})  # the library cannot convert it
    peaks: Mapping[str, float] = {}

    def set_up(self, folder: Path) -> None:
        """Install the library that converts, apart from all others."""
        try:
            release = version("openvino")
        except PackageNotFoundError as error:
            raise Unavailable("openvino is not installed") from error
        self._packages, self._output = folder / "packages", folder / "tokenizer"
        wanted = f"openvino-tokenizers~={release}.0"
        options: list[str | Path] = ["--quiet", "--no-deps", "--upgrade", "--target", self._packages]
        run_step([sys.executable, "-m", "pip", "install", *options, wanted])

    def golden(self, bundle: Path) -> Sequence[Command]:
        """Return the program, which proves the tokenizer before it writes it."""
        program = REPOSITORY / "examples/openvino_tokenizer.py"
        return [["env", f"PYTHONPATH={self._packages}", sys.executable, program, bundle, self._output]]
