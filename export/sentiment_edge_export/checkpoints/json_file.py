"""Reading JSON files written by others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; empty if there is no such file.

    Raises:
        CheckpointError: the file cannot be read, or does not hold a JSON object.
    """
    if not path.exists():
        return {}
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(contents, ensure_ascii=False).encode()  # half a surrogate pair could not be written later
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(contents, dict):
        raise CheckpointError(f"{path}: not a JSON object")
    return contents
