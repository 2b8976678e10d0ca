"""The hidden folder beside a folder that is written, in which it is made; and what killed programs left of theirs."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import fcntl
except ModuleNotFoundError:  # pragma: no cover - Windows, where a folder that a process writes in cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW, REPLACED = "new", "replaced"
"""Names in it: the folder that is being written, and for a moment the one that it replaces."""


@contextmanager
def scratch_folder(output: Path) -> Iterator[Path]:
    """Yield an empty folder beside the output, in the same file system, and remove it in the end.

    It is locked for as long, so that `clean_up` tells it from what killed programs left.

    Raises:
        OSError: it cannot be made.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_prefix(output), dir=output.parent))
        descriptor = _lock(folder, wait=True)
        if folder.exists():  # else another program took it for left over before it was locked
            break
        _unlock(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(descriptor)


def clean_up(output: Path) -> None:
    """Remove what killed programs left beside a place, and put back a folder that one of them had set aside.

    Programs that are still running hold a lock on theirs and are left alone.

    Raises:
        OSError: a folder cannot be put back.
    """
    for folder in output.parent.glob(f"{_prefix(output)}*"):
        descriptor = _lock(folder, wait=False)
        if descriptor is None and fcntl is not None:
            continue
        try:
            if (folder / REPLACED).is_dir() and not output.exists():
                (folder / REPLACED).rename(output)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            _unlock(descriptor)


def _prefix(output: Path) -> str:
    """Return how the folders of a place begin: short, however long its name is."""
    return f".sentiment-edge-{hashlib.sha256(os.fsencode(output.name)).hexdigest()[:16]}-"


def _lock(folder: Path, *, wait: bool) -> int | None:
    """Lock a folder for as long as the returned descriptor is open, or the process lives; None where that cannot be had."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # it is locked, or the file system has no locks
        os.close(descriptor)
        return None
    return descriptor


def _unlock(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
