"""Debug symbols of the Python that builds: one that was compiled here has them, the systems' and python.org's have none."""

from __future__ import annotations

import subprocess
import tempfile
import zlib
from pathlib import Path
from shutil import copy, which

_LEVEL = 9
"""PyInstaller's level of compression in one file."""


def symbols_in(folder: Path, *, compressed: bool) -> int:
    """Return the bytes that a one-folder app would be smaller without them, or a one-file app with the same files.

    Only Python's own files are looked at, not the libraries'. Where binutils are not installed, none are found.
    """
    files = [*folder.glob("_internal/libpython*.so*"), *folder.glob("_internal/python3*/lib-dynload/*.so")]
    if which("strip") is None:
        return 0
    return sum(
        _weight(path.read_bytes(), compressed=compressed) - _weight(_stripped(path), compressed=compressed) for path in files
    )


def _stripped(path: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(copy(path, folder))
        subprocess.run(["strip", "--strip-debug", target], check=True)
        return target.read_bytes()


def _weight(contents: bytes, *, compressed: bool) -> int:
    return len(zlib.compress(contents, _LEVEL)) if compressed else len(contents)
