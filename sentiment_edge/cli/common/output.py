"""Files that a command writes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sentiment_edge_runtimes.errors import InputError


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file beside the target and rename it: a full disk must not leave half a file.

    Raises:
        OSError: it cannot be written; `path` is its file name.
    """
    if path.exists() and not path.is_file():  # a device or a pipe
        path.write_bytes(contents)
        return
    target = path.resolve()  # a link is written through
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
            unfinished = Path(scratch) / target.name
            unfinished.write_bytes(contents)
            unfinished.replace(target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_page(path: Path, html: str) -> None:
    """Write a page in UTF-8, with a question mark for half a surrogate pair, which UTF-8 cannot encode.

    Raises:
        OSError: it cannot be written; `path` is its file name.
    """
    write_whole(path, html.encode("utf-8", "replace"))


def check_folder(path: Path) -> None:
    """Refuse a file whose folder does not exist, before the work for its contents.

    Raises:
        InputError: there is no such folder.
    """
    if not path.resolve().parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent} to write it in")


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before the work for its contents; the trial leaves nothing behind.

    Raises:
        InputError: there is no such folder.
        OSError: nothing can be written in that folder.
    """
    check_folder(path)
    if path.exists() and not path.is_file():
        return  # a device or a pipe
    try:
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
