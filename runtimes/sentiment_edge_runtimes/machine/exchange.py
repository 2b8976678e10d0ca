"""Putting a folder in place whole: onto the disk first, then by one rename, or by exchanging two names in one step."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CURRENT_FOLDER = -100
"""AT_FDCWD of Linux: paths are relative to the current folder."""
_EXCHANGE = 2
"""RENAME_EXCHANGE of https://man7.org/linux/man-pages/man2/rename.2.html, and RENAME_SWAP of macOS's renamex_np."""
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Errors of a kernel or file system that has no exchange."""


def replace_folder(new: Path, place: Path, aside: Path) -> None:
    """Put a folder in the place of another, so that at every moment, even if power is lost, the old or the new one is whole.

    Args:
        new: the folder to put there; afterwards it is gone, or is the old one.
        place: where to; nothing need be there.
        aside: a free name in the same file system. Where the system has no exchange, the old folder is under this name for a
            moment while nothing is in its place: whoever finds it there after a crash must put it back.

    Raises:
        OSError: it cannot be done; the old folder is in its place.
    """
    _flush(new)
    if not place.exists():
        new.rename(place)
    elif not _exchange(new, place):
        place.rename(aside)
        try:
            new.rename(place)
        except BaseException:
            aside.rename(place)
            raise
    _flush_entry(place.parent)


def file_names(folder: Path) -> set[str]:
    """Return the names of all files of a folder at any depth, by which to tell what would be replaced."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step; return False where the system cannot."""
    if os.name != "posix":
        return False  # pragma: no cover - Windows
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(first), os.fsencode(second)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        failed = library.renameat2(_CURRENT_FOLDER, names[0], _CURRENT_FOLDER, names[1], _EXCHANGE)
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, _EXCHANGE)
    else:
        return False
    if failed and (number := ctypes.get_errno()) not in _UNSUPPORTED:
        raise OSError(number, os.strerror(number), str(second))
    return not failed


def _flush(folder: Path) -> None:
    """Have the system write all files of a folder to the disk, and the folders themselves."""
    for path in (*folder.rglob("*"), folder):
        if path.is_dir():
            _flush_entry(path)
        else:
            with path.open("rb+") as file:  # Windows flushes only what is open for writing
                os.fsync(file.fileno())


def _flush_entry(folder: Path) -> None:
    """Have the system write a folder's list of names to the disk; Windows cannot be asked to."""
    if os.name != "posix":
        return  # pragma: no cover - Windows
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:  # some network file systems cannot
            raise
    finally:
        os.close(descriptor)
