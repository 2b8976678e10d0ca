"""Exports that tests share, for each takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment_edge.export import export_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentiment_edge.export import ExportReport


class Exports:
    """Exports one checkpoint with the same options once only. A test that damages a bundle copies it first."""

    def __init__(self, folder: Path, checkpoints: Mapping[str, Path]) -> None:
        self._folder = folder
        self._checkpoints = checkpoints
        self._made: dict[str, ExportReport] = {}

    def __call__(self, model: str, **options: Any) -> ExportReport:
        """Export a checkpoint of the fixture `checkpoints`, or a known name."""
        key = repr((model, sorted(options.items())))
        if key not in self._made:
            source = str(self._checkpoints.get(model, model))
            self._made[key] = export_model(source, output=self._folder / f"{Path(model).name}-{len(self._made)}", **options)
        return self._made[key]
