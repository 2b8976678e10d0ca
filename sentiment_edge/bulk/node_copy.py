"""A bundle's copy on a node of a cluster, made once for all processes there and removed when none of them is left.

The copy lies in a folder of this user's, under its fingerprint. Whoever uses it holds a shared lock on a file beside it, which
the system takes back when a process ends in any way. Who can have the lock alone is the only one: it may make the copy, or
remove it. The last process that lets go of a copy removes it; for processes that are killed, a program waits for the lock. This
module is that program too, so it imports nothing of this project.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCK = ".lock"


class NodeCopy:
    """The use of a copy by this process, until `release`."""

    def __init__(self, fingerprint: str, write: Callable[[Path], None], home: Path | None = None) -> None:
        """Make the copy, or wait for whoever makes it.

        Args:
            fingerprint: the bundle's.
            write: writes its files into an empty folder.
            home: the folder of this user's copies; by default one in the system's folder for temporary files.

        Raises:
            OSError: there is no room for the copy, or the folder is not this user's own.
        """
        self._home = _own(home or Path(tempfile.gettempdir(), f"sentiment-edge-{os.getuid()}"))
        self.folder = self._home / fingerprint
        self._file: int | None = None
        with _alone(self._home):
            _sweep(self._home)
            self._file = os.open(_lock_of(self.folder), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_SH)
            try:
                if not self.folder.is_dir():
                    _start_watch(self.folder)
                    _write(write, self.folder)
            except BaseException:
                self._let_go()
                raise

    def release(self) -> None:
        """Let go of the copy; if no other process uses it, it is removed here or by the program that waits for its lock."""
        if self._file is not None:
            with _alone(self._home):
                self._let_go()

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
        _sweep(self._home)


def _own(home: Path) -> Path:
    """Return a folder that is this user's own, and is made if it is not there."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = home.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{home} belongs to someone else, or is a link; set TMPDIR to a folder of your own")
    return home


def _write(write: Callable[[Path], None], folder: Path) -> None:
    """Write the files beside the copy, and give it its name when they are complete."""
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    write(half)
    half.rename(folder)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the lock of the whole folder: copies are made and removed by one process at a time."""
    with _opened(home / _LOCK, os.O_RDWR | os.O_CREAT) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sweep(home: Path) -> None:
    """Remove the copies that no process uses."""
    for lock in home.glob(f"?*{_LOCK}"):
        with _opened(lock, os.O_RDWR) as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            name = lock.name.removesuffix(_LOCK)
            for left in (name, f"{name}.half"):
                shutil.rmtree(home / left, ignore_errors=True)
            lock.unlink()


def _start_watch(folder: Path) -> None:
    """Start the program that removes a copy when the processes that use it have ended, in whatever way."""
    command = [sys.executable, "-I", "-S", __file__, str(folder)]
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    started = os.posix_spawn(command[0], command, os.environ, file_actions=silent, setpgroup=0)
    with suppress(ChildProcessError):  # where this process has its children's ends ignored
        os.waitpid(started, 0)


def _watch(folder: Path) -> None:
    """Wait until no process uses a copy, and remove it."""
    lock = _lock_of(folder)
    with suppress(FileNotFoundError):  # the last process has removed it
        while True:
            with _opened(lock, os.O_RDWR) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
            with _alone(folder.parent):
                _sweep(folder.parent)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{_LOCK}")


if __name__ == "__main__":
    if not os.fork():  # nobody's child: Ray kills a worker's children
        os.setsid()
        _watch(Path(sys.argv[1]))
