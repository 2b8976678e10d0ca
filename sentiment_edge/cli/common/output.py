"""Files that a command writes."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from sentiment_edge_runtimes.errors import InputError

_NOT_IN_HTML = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file beside the target and rename it: a full disk must not leave half a file.

    Raises:
        OSError: it cannot be written; `path` is its file name.
    """
    if path.exists() and not path.is_file():  # a device or a pipe
        path.write_bytes(contents)
        return
    target = path.resolve()  # a link is written through
    import tempfile

    try:
        with tempfile.TemporaryDirectory(prefix=".sentiment-edge-", dir=target.parent) as scratch:
            unfinished = Path(scratch) / target.name
            unfinished.write_bytes(contents)
            unfinished.replace(target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_page(path: Path, html: str) -> None:
    """Write a page in UTF-8, with U+FFFD for what HTML cannot hold: control characters, and half a surrogate pair.

    Raises:
        OSError: it cannot be written; `path` is its file name.
    """
    write_whole(path, _NOT_IN_HTML.sub("\ufffd", html).encode())


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
    import tempfile

    check_folder(path)
    try:
        with suppress(FileNotFoundError):
            path.lstat()  # the system may take no such name
        if path.exists() and not path.is_file():
            return  # a device or a pipe
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
