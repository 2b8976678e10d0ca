"""What a bundle's card says about the model itself."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from sentiment_edge_export.checkpoints.catalog import KNOWN_MODELS
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.options import SourceOptions

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.exports import Exports


def test_a_model_of_this_package_is_described_and_another_is_not(exports: Exports, tmp_path: Path) -> None:
    about = KNOWN_MODELS["gru-mini"].card
    assert "## Weaknesses" in about
    described = (exports("gru-mini", precision="int8").bundle.root / "README.md").read_text("utf-8")
    assert described.endswith(f"Licence of the source: Apache-2.0.\n\n{about}\n")
    other = (exports("bert").bundle.root / "README.md").read_text("utf-8")
    assert other.endswith("Licence of the source: not stated by the source.\n")
    files = shutil.copytree(KNOWN_MODELS["gru-mini"].packaged_folder, tmp_path / "files")
    assert not find_checkpoint("gru-mini", SourceOptions(checkpoint=files)).card  # they may have been trained on
    assert not any(model.card for model in KNOWN_MODELS.values() if model.hub_id)
