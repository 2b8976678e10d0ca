"""Checkpoints that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sentiment_edge.export import CheckpointError, export_model

if TYPE_CHECKING:
    from pathlib import Path


def refused(checkpoint: Path, output: Path, message: str) -> None:
    """The export ends in one named line, and nothing is written."""
    before = sorted(output.parent.iterdir())
    with pytest.raises(CheckpointError, match=message) as caught:
        export_model(str(checkpoint), output=output)
    assert "\n" not in str(caught.value)
    assert sorted(output.parent.iterdir()) == before
