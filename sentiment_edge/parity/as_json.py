"""The object that `export --json` and `verify --json` print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentiment_edge_runtimes.bundle import Bundle


def bundle_json(bundle: Bundle, parity: dict[str, Any], **more: object) -> str:
    """Return what a bundle is made of, with the outcome of a comparison and whatever else there is to say."""
    answer = {
        "bundle": str(bundle.root),
        "precision": bundle.manifest.precision,
        "engines": list(bundle.manifest.engines),
        "files": bundle.manifest.files,
        "nodes": bundle.manifest.nodes,
        "parity": parity,
        **more,
    }
    return json.dumps(answer, indent=2)
