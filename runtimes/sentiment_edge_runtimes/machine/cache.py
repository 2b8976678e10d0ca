"""A cache that lasts between runs: small files in the user's cache folder, any of which may be lost or damaged.

Each file starts with the SHA-256 of the rest, in hexadecimal; one that does not match is ignored. The folder is the one that
the environment variable `SENTIMENT_EDGE_CACHE` names, by default the system's for caches. If it cannot be written, nothing is
kept.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

FOLDER_VARIABLE = "SENTIMENT_EDGE_CACHE"
_DIGEST = 64


def cache_folder() -> Path | None:
    """Return the cache folder, which need not exist; None if the system has none."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    try:
        from platformdirs import user_cache_path  # noqa: PLC0415 - comes with the extras that need a cache
    except ModuleNotFoundError:
        return None
    folder = user_cache_path("sentiment-edge", appauthor=False)
    return folder if folder.is_absolute() else None  # a user without a home


def recall(kind: str, *key: object) -> bytes | None:
    """Return the bytes that were kept under a key; None if there are none, or not intact."""
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
    """Keep bytes under a key for later processes, if possible. A reader meanwhile finds the old or the new, never a part."""
    path = _path(kind, key)
    if path is None:
        return
    import tempfile  # noqa: PLC0415 - slow to import

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
