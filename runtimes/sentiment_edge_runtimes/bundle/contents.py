"""The files of an opened bundle, which are held to the hashes that they had when it was opened."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sentiment_edge_runtimes.errors import BundleDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from io import BufferedReader
    from pathlib import Path

_T = TypeVar("_T")

_SETTLED = 2_000_000_000
"""Nanoseconds after which another change cannot bear the same time: file systems count in steps of up to two seconds."""
_SMALLEST_BLOCK, _LARGEST_BLOCK = 2**17, 2**22
"""Bytes that are hashed at once: other threads run meanwhile, and many small blocks would wait for them as many times."""
_ATTEMPTS = 3
"""Readings of files that another process replaces meanwhile, until they are given up."""


class Identity(NamedTuple):
    """Sign of a file's contents: they have not changed while this has not, if it is settled."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int
    settled: bool
    """False if the file was written so recently that it may change again without a trace."""

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """Return the identity of a file, links followed."""
        latest = max(status.st_mtime_ns, status.st_ctime_ns)
        settled = time.time_ns() - latest > _SETTLED
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, settled)


class Contents:
    """The files of one bundle, by name; one whose identity is no longer that of the file that was hashed is hashed again."""

    def __init__(self, root: Path, checksums: Mapping[str, str]) -> None:
        self._root = root
        self._checksums = checksums
        self._hashed: dict[str, Identity] = {}

    def __reduce__(self) -> tuple[type[Contents], tuple[Path, Mapping[str, str]]]:
        """Pickle without identities: on another machine they mean nothing."""
        return Contents, (self._root, self._checksums)

    def lists(self, name: str) -> bool:
        """Tell whether the hash of a file is known."""
        return name in self._checksums

    def confirm(self, name: str) -> Identity:
        """Return the identity of a file that has its hash.

        Raises:
            BundleDamaged: it has not, or it cannot be read.
        """
        path = self._root / name
        try:
            identity = Identity.of(path.stat())
            if identity.settled and identity == self._hashed.get(name):
                return identity
            with open_file(path) as file:
                identity = Identity.of(os.fstat(file.fileno()))
                digest = _digest(file)
        except (OSError, RuntimeError) as error:
            raise unreadable(self._root, name, error) from error
        self._compare(name, digest)
        self._hashed[name] = identity
        return identity

    def read(self, name: str) -> bytes:
        """Return the contents of a file that has its hash.

        Raises:
            BundleDamaged: it has not, or it cannot be read.
        """
        try:
            with open_file(self._root / name) as file:
                contents = file.read()
        except (OSError, RuntimeError) as error:
            raise unreadable(self._root, name, error) from error
        self._compare(name, hashlib.sha256(contents).hexdigest())
        return contents

    def while_unchanged(self, names: Iterable[str], read: Callable[[], _T]) -> _T:
        """Return what `read` makes of files which were those that have their hashes, from its start to its end.

        Raises:
            BundleDamaged: they were not.
        """
        names = tuple(names)
        before = [self.confirm(name) for name in names]
        for _ in range(_ATTEMPTS):
            try:
                result = read()
            except Exception:
                for name in names:
                    self.confirm(name)  # a change is the better reason
                raise
            after = [self.confirm(name) for name in names]
            changed = [name for name, old, new in zip(names, before, after, strict=True) if old[:-1] != new[:-1]]
            if not changed:
                return result
            before = after  # the right file is back, but another may have been read
        raise BundleDamaged(self._root, changed[0], "changes while it is read")

    def _compare(self, name: str, digest: str) -> None:
        if digest != self._checksums[name]:
            raise BundleDamaged(self._root, name, "has changed (its SHA-256 differs)")


def open_file(path: Path) -> BufferedReader:
    """Open a regular file to read it; opening a pipe in its place would wait for a writer.

    Raises:
        OSError: it is none, or cannot be opened.
    """
    file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - Path.open takes no opener; the caller closes it
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError("it is not a regular file")
    return file


def unreadable(root: Path, name: str, error: OSError | RuntimeError) -> BundleDamaged:
    """Return the error for a file that cannot be read. A RuntimeError is a link that leads to itself, before Python 3.13."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return BundleDamaged(root, name, "is missing")
    return BundleDamaged(root, name, f"cannot be read ({getattr(error, 'strerror', None) or error})")


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return _digest(file)


def _digest(file: BufferedReader) -> str:
    """Return the SHA-256 of a file. Not of a map of it, which would end the process where the file is cut short meanwhile."""
    hashed = hashlib.sha256()
    buffer = memoryview(bytearray(min(_LARGEST_BLOCK, _SMALLEST_BLOCK + os.fstat(file.fileno()).st_size // 16)))
    while size := file.readinto(buffer):
        hashed.update(buffer[:size])
    return hashed.hexdigest()


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
