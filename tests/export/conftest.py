"""Checkpoints to export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch", reason="needs the extra export")

from helpers.tiny_checkpoints import tiny_weights, write_checkpoint  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A checkpoint folder."""
    return write_checkpoint(tmp_path / "tiny", tiny_weights())


@pytest.fixture
def saved_as(tmp_path: Path) -> Callable[[object], Path]:
    """Write a checkpoint whose weights are what torch.save makes of an object."""

    def write(contents: object) -> Path:
        folder = write_checkpoint(tmp_path / "pickled", tiny_weights())
        (folder / "model.safetensors").unlink()
        torch.save(contents, folder / "last.pth")
        return folder

    return write
