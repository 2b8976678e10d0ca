"""The place of a page's folder: nothing else is replaced, and whatever happens, the old folder or the new one is whole."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.machine.exchange import file_names, replace_folder
from sentiment_edge_runtimes.machine.scratch import NEW, REPLACED, clean_up, scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIST = "files.json"
"""The names of all files of such a folder, by which it is known: one that holds anything else is never replaced."""


def check_place(folder: Path, bundle: Path, *, overwrite: bool) -> None:
    """Check that a page's folder may be written there.

    Args:
        folder: to be written.
        bundle: folder of the bundle.
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
    found = file_names(folder)
    if found and not overwrite:
        raise InputError(f"{folder} exists; pass `overwrite` to replace it, or choose another folder")
    if found and not found <= {_LIST, *_listed(folder)}:
        raise InputError(f"{folder} holds more than such a page and will not be overwritten; choose another folder")


def _listed(folder: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads((folder / _LIST).read_text(encoding="utf-8"))["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


@contextmanager
def written_whole(folder: Path, bundle: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` if the block succeeds, and is removed otherwise.

    Raises:
        InputError: as `check_place`, before the block or after it.
        OSError: it cannot be written; `folder` is its file name.
    """
    try:
        clean_up(folder)
        check_place(folder, bundle, overwrite=overwrite)
        with scratch_folder(folder) as scratch:
            new = scratch / NEW
            new.mkdir()
            yield new
            (new / _LIST).write_text(json.dumps({"files": sorted(file_names(new))}, indent=2) + "\n", encoding="utf-8")
            check_place(folder, bundle, overwrite=overwrite)
            replace_folder(new, folder, scratch / REPLACED)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(folder)) from error
