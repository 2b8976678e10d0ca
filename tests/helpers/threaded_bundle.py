"""A bundle whose engine has threads of its own, made without torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from helpers.support import edit_manifest

if TYPE_CHECKING:
    from pathlib import Path


def as_encoder(folder: Path) -> Path:
    """Say that the default bundle's copy holds no GRU, so that one batch runs on all threads, as an encoder's does."""
    nodes = json.loads((folder / "manifest.json").read_text("utf-8"))["nodes"]
    edit_manifest(folder, nodes={name: count for name, count in nodes.items() if name != "GRU"})
    return folder
