"""The folder that a user names as a bundle."""

from __future__ import annotations

from contextlib import suppress
from errno import EBADF, ELOOP, ENOENT, ENOTDIR
from pathlib import Path
from stat import S_ISREG

from sentiment_edge_runtimes.errors import BundleError, BundleMissing

_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar", ".whl")
_SIGNATURES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!")
_TAR, _TAR_AT = b"ustar", 257
_ABSENT = {EBADF, ELOOP, ENOENT, ENOTDIR}
"""Errors by which a system says that nothing is there."""
_SHOWN = 200
"""Characters of a path that a message shows, where the path cannot be that of a folder."""


def find_folder(root: Path) -> Path:
    """Return the folder of a bundle, with `~` expanded.

    Raises:
        BundleMissing: a file is there.
        BundleError: the path is not UTF-8, which the libraries underneath need, or the system refuses it.
    """
    with suppress(RuntimeError):  # no such user: a folder may be called so
        root = Path(root).expanduser()
    shown = str(root).encode("utf-8", "backslashreplace").decode()[:_SHOWN]
    try:
        str(root).encode("utf-8")
        found = is_file(root)
        archive = found and _is_archive(root)
    except UnicodeEncodeError as error:
        raise BundleError(f"{shown}: the path is not UTF-8, which the engines need; rename the folder") from error
    except OSError as error:
        raise BundleError(f"{shown}: cannot be read ({error.strerror})") from error
    if found:
        advice = "an archive; unpack it first and give" if archive else "a file; give"
        raise BundleMissing(root, f"{advice} the folder that holds manifest.json")
    return root


def is_file(path: Path) -> bool:
    """Return whether there is a file, as `Path.is_file` does before Python 3.14, which says no where it cannot tell.

    Raises:
        OSError: the system does not tell: the path is too long, or a folder may not be searched.
    """
    try:
        return S_ISREG(path.stat().st_mode)
    except ValueError:  # no path at all: it has a null character
        return False
    except OSError as error:
        if error.errno in _ABSENT:
            return False
        raise


def _is_archive(path: Path) -> bool:
    if path.suffix.lower() in _ARCHIVES:
        return True
    with path.open("rb") as file:
        start = file.read(_TAR_AT + len(_TAR))
    return start.startswith(_SIGNATURES) or start[_TAR_AT:] == _TAR
