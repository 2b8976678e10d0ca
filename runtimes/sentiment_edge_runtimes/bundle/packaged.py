"""Data inside this package, wherever it was installed: in a folder, in a frozen app, in a zip file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import BundleError, EngineError, first_line, is_inside_app

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PACKAGE = Path(__file__).parents[1]
_made: dict[Path, Path] = {}


def read_packaged(file: Path) -> bytes:
    """Return the contents of a file inside this package.

    Raises:
        EngineError: it cannot be read.
    """
    try:
        contents: bytes = __spec__.loader.get_data(os.fspath(file))  # type: ignore[union-attr]  # of each loader that reads files
    except OSError as error:
        whole = "this app" if is_inside_app(file) else "sentiment-edge"
        raise EngineError(f"{file}: cannot be read ({error.strerror or error}); install {whole} again") from error
    return contents


def unpacked(folder: Path) -> Path:
    """Return a folder, or where it is in this package in a zip file, a copy of it that lasts as long as this process.

    Raises:
        BundleError: there is no room for the copy.
    """
    if not folder.is_relative_to(PACKAGE) or folder.is_dir():
        return folder
    made = _made.get(folder)
    if made is None or not made.is_dir():  # systems remove temporary files that have become old
        made = _made[folder] = _unpack(folder)
    return made


def _unpack(folder: Path) -> Path:
    import atexit  # noqa: PLC0415 - all three are needed in a zip file only
    from importlib.resources import files  # noqa: PLC0415
    from tempfile import mkdtemp  # noqa: PLC0415

    source = files("sentiment_edge_runtimes").joinpath(*folder.relative_to(PACKAGE).parts)
    if not source.is_dir():
        return folder  # whoever opens it says that it is missing
    try:
        home = Path(mkdtemp(prefix="sentiment-edge-"))
        atexit.register(_remove, home, os.getpid())
        _copy(source, home / folder.name)
    except OSError as error:
        problem = f"cannot be unpacked to a temporary folder ({first_line(error)}); name another one in TMPDIR"
        raise BundleError(f"{folder}: {problem}") from error
    return home / folder.name


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir()
    for entry in source.iterdir():
        if entry.is_dir():
            _copy(entry, target / entry.name)
        else:
            (target / entry.name).write_bytes(entry.read_bytes())


def _remove(folder: Path, process: int) -> None:
    """Remove a copy at the end of the process that made it, not of its forks."""
    from shutil import rmtree  # noqa: PLC0415

    if os.getpid() == process:
        rmtree(folder, ignore_errors=True)
