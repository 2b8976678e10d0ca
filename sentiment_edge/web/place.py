"""The place of a page's folder: nothing else is replaced, and whatever happens, the old folder or the new one is whole."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

INDEX = "index.html"
_MARK = b'<meta name="generator" content="sentiment-edge web">'
"""What tells such a page from others."""


def check_place(folder: Path, bundle: Path, names: Collection[str], *, overwrite: bool) -> None:
    """Check that a page's folder may be written there.

    Args:
        folder: to be written.
        bundle: folder of the bundle.
        names: of the files and folders in a page's folder.
        overwrite: whether a page that is there may be replaced.

    Raises:
        InputError: something is there that must stay, or the place is the bundle's, or that of a link.
    """
    if folder.is_symlink():
        raise InputError(f"{folder} is a link; give the folder that it points to, or choose another one")
    if folder.resolve().is_relative_to(bundle.resolve()) or bundle.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{folder} and the bundle's folder lie within each other; choose another folder")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another folder")
    if Path.cwd().is_relative_to(folder.resolve()):
        raise InputError(f"{folder} is the folder you are in, which cannot be replaced; choose another folder")
    found = {path.name for path in folder.iterdir()}
    if found and not overwrite:
        raise InputError(f"{folder} exists; pass `overwrite` to replace it, or choose another folder")
    if found and not (found <= {*names} and _is_page(folder / INDEX)):
        raise InputError(f"{folder} holds more than such a page and will not be overwritten; choose another folder")


def _is_page(index: Path) -> bool:
    return index.is_file() and _MARK in index.read_bytes()


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` if the block succeeds, and is removed otherwise.

    Raises:
        OSError: it cannot be written; `folder` is its file name.
    """
    place = folder.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sentiment-edge-", dir=place.parent) as scratch:
            new, old = Path(scratch, "new"), Path(scratch, "old")
            new.mkdir()
            yield new
            if place.exists():
                place.rename(old)
            try:
                new.rename(place)
            except BaseException:
                if old.exists():
                    old.rename(place)
                raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(folder)) from error
