"""JSON files that others wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file; empty where there is no such file.

    Raises:
        CheckpointError: the file holds something else.
    """
    if not path.exists():
        return {}
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(contents, ensure_ascii=False).encode()  # what holds half a surrogate pair could not be written
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(contents, dict):
        raise CheckpointError(f"{path}: not a JSON object")
    return contents
