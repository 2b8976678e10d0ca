"""Reading JSON files written by others."""

from __future__ import annotations

import json
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from sentiment_edge_export.checkpoints.files import check_is_here
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.bundle import strict_json
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 8 * 2**20
"""The largest accepted file, in bytes. Its objects take up to 30 times as much memory."""
_DEEPEST = 100
"""Objects and lists within each other: libraries that are handed a config call themselves for each."""


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; empty if there is no such file.

    A key that occurs twice is refused, though transformers takes the last: readers disagree on which counts, so the model that
    is checked here might not be the one that another reader sees. No program writes such a file.

    Raises:
        CheckpointError: the file cannot be read, is larger than any config, or does not hold a JSON object.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise CheckpointError(f"{path!s:.200}: cannot be read ({error.strerror})") from error
    if not S_ISREG(status.st_mode):
        raise CheckpointError(f"{path}: not a file")
    if status.st_size > _LONGEST:
        raise CheckpointError(f"{path}: larger than {_LONGEST // 2**20} MiB, as no such file is; download it again")
    try:
        contents = strict_json.loads(path.read_text(encoding="utf-8"))
        _check_depth(contents)
        json.dumps(contents, ensure_ascii=False).encode()  # half a surrogate pair could not be written later
    except RecursionError as error:
        raise CheckpointError(f"{path}: not readable as JSON (nested too deeply)") from error
    except (OSError, ValueError) as error:
        check_is_here(path)
        raise CheckpointError(f"{path}: not readable as JSON ({first_line(error)})") from error
    if not isinstance(contents, dict):
        raise CheckpointError(f"{path}: not a JSON object")
    return contents


def _check_depth(contents: object) -> None:
    """Check that values are not nested beyond what recursive readers bear.

    Raises:
        RecursionError: they are.
    """
    level = [contents]
    for _ in range(_DEEPEST):
        inner = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
        level = [value for values in inner for value in values]
        if not level:
            return
    raise RecursionError
