"""What a machine remembers between runs: small files in the user's cache folder, any of which may be lost or spoilt.

Each file starts with the SHA-256 of the rest, in hexadecimal; one that does not match is as good as none. The folder is
`SENTIMENT_EDGE_CACHE`, or without it what the system has for caches. Where it cannot be written, nothing is remembered.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

FOLDER_VARIABLE = "SENTIMENT_EDGE_CACHE"
_DIGEST = 64


def cache_folder() -> Path | None:
    """Return the folder, which need not be there; None where the system has none."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    try:
        from platformdirs import user_cache_path  # noqa: PLC0415 - comes with the extra that needs a cache
    except ModuleNotFoundError:
        return None
    folder = user_cache_path("sentiment-edge", appauthor=False)
    return folder if folder.is_absolute() else None  # a user without a home


def recall(kind: str, *key: object) -> bytes | None:
    """Return what was remembered under this key; None if nothing intact was."""
    path = _path(kind, key)
    if path is None:
        return None
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    digest, contents = stored[:_DIGEST], stored[_DIGEST:]
    return contents if digest == _digest(contents) else None


def remember(contents: bytes, kind: str, *key: object) -> None:
    """Keep bytes for later processes, if that can be done; whoever reads meanwhile finds the old or the new, never a part."""
    path = _path(kind, key)
    if path is None:
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_digest(contents) + contents)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _path(kind: str, key: tuple[object, ...]) -> Path | None:
    folder = cache_folder()
    return None if folder is None else folder / kind / _digest(repr(key).encode()).decode()[:32]


def _digest(contents: bytes) -> bytes:
    return hashlib.sha256(contents).hexdigest().encode()
