"""Paths that users and checkpoints name, which the system may refuse to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path


def is_file(path: Path) -> bool:
    """Return whether there is a regular file; not for a name that the system refuses, such as one that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def check_path(path: Path) -> None:
    """Check that the system can tell whether something is at the path.

    Raises:
        CheckpointError: it cannot, as where the name is too long or a folder is closed to the user.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL, or one that is not text
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(f"{str(path)!r:.100}: cannot be looked up ({reason})") from error
