"""The object that `export --json` and `verify --json` print. Names are stable, figures unrounded, null where undefined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentiment_edge.render.json_text import json_text

if TYPE_CHECKING:
    from sentiment_edge_runtimes.bundle import Bundle


def as_json(bundle: Bundle, parity: dict[str, Any], **more: object) -> str:
    """Return a bundle's contents as JSON, with the outcome of a comparison and further entries."""
    answer = {
        "bundle": str(bundle.root),
        "precision": bundle.manifest.precision,
        "engines": list(bundle.manifest.engines),
        "files": bundle.manifest.files,
        "nodes": bundle.manifest.nodes,
        "parity": parity,
        **more,
    }
    return json_text(answer)
