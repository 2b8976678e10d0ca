"""Sockets that listen: how they begin, take connections into the loop, and end without losing one that was made."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import socket
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge.server.transport.connections import Connections

_BACKLOG = 2048
_AT_ONCE = 64
"""The most connections taken in one turn of the loop."""
_OUT_OF_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_SETTLING = 0.01
"""Seconds after which a connection that was under way when the socket was shut has arrived."""


class ListenError(SentimentEdgeError, OSError):
    """The address cannot be listened on."""


class _Filter(ctypes.Structure):
    """A filter of packets with one instruction; see `struct sock_fprog` of Linux."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


_NONE_PASSES = b"\x06" + bytes(7)
"""`BPF_RET` with 0: no packet passes."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ListenError: the address is taken, not this machine's, or needs more rights.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:  # UnicodeError: the host cannot be a name
        said = error.strerror if isinstance(error, OSError) else None
        reason = (said or str(error)).partition(" (")[0]  # create_server adds the address
        raise ListenError(f"cannot listen on {host:.80}, port {port}: {reason}; choose another `host` or `port`") from error


def listen_uds(path: str) -> socket.socket:
    """Return a socket that listens at a path; the file of a server that has ended is replaced.

    Raises:
        ListenError: another server listens there, the file is no socket, or it cannot be made.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise ListenError("this system has no sockets at paths: leave out `uds`")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        listening.bind(path)
        os.chmod(path, 0o666)  # noqa: S103, PTH101 - like a port: the folder's rights say who may connect
        listening.listen(_BACKLOG)
    except (OSError, ValueError) as error:
        listening.close()
        if isinstance(error, ListenError):
            raise
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ListenError(f"cannot listen at {path:.200}: {reason}; choose another path with `uds`") from error
    return listening


def _remove_stale(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"cannot listen at {path:.200}: there is a file that is no socket; choose another path with `uds`")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1)
        with suppress(ConnectionRefusedError):
            asking.connect(path)
            raise ListenError(f"cannot listen at {path:.200}: another server does; end it, or choose another path with `uds`")
    os.unlink(path)  # noqa: PTH108


def address(listening: socket.socket) -> str:
    """Return the address of a socket, as users write it."""
    name = listening.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host, port = name[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class SocketFile:
    """The file of a socket at a path, if it is one; removed once, unless another server has replaced it."""

    def __init__(self, listening: socket.socket) -> None:
        name = listening.getsockname()
        self._path = os.path.abspath(name) if isinstance(name, str) and name else None  # noqa: PTH100
        self._identity = _identity(self._path)

    def remove(self) -> None:
        """Remove the file."""
        if self._path is not None and self._identity is not None and _identity(self._path) == self._identity:
            with suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108
        self._identity = None


def _identity(path: str | None) -> tuple[int, int] | None:
    try:
        about = os.lstat(path) if path is not None else None
    except OSError:
        return None
    return None if about is None else (about.st_dev, about.st_ino)


def refuse_newcomers(listening: socket.socket) -> None:
    """Let no further connection be made, while those that were made can still be taken; on Linux alone."""
    if listening.family not in {socket.AF_INET, socket.AF_INET6} or os.name != "posix" or not hasattr(socket, "SO_PEERCRED"):
        return
    attach = getattr(socket, "SO_ATTACH_FILTER", 26)
    instruction = ctypes.create_string_buffer(_NONE_PASSES, len(_NONE_PASSES))
    program = _Filter(1, ctypes.cast(instruction, ctypes.c_char_p))
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, attach, bytes(program))


def unread_bytes(file: int) -> int:
    """Return how many bytes wait in a socket; 0 on a system that does not tell."""
    try:
        import fcntl  # noqa: PLC0415
        import termios  # noqa: PLC0415
    except ImportError:  # Windows
        return 0
    counted = bytearray(4)
    with suppress(OSError, ValueError):  # it has just been closed
        fcntl.ioctl(file, termios.FIONREAD, counted)
    return int.from_bytes(counted, sys.byteorder)


class Door:
    """Takes connections from a socket that listens.

    Args:
        listening: the socket; other processes may take connections from it too.
        connections: those that are open.
        make: makes the protocol of a connection.
        alone: whether no other process takes connections.
    """

    def __init__(
        self, listening: socket.socket, connections: Connections, make: Callable[[], asyncio.Protocol], *, alone: bool
    ) -> None:
        self._listening = listening
        self._connections = connections
        self._make = make
        self._alone = alone
        self._at_once = _AT_ONCE if alone else 1
        self._loop = asyncio.get_running_loop()
        self._coming: set[asyncio.Task[object]] = set()
        self._open = False
        listening.settimeout(0)

    def open(self) -> None:
        """Take connections, or go on doing so after the system had no more files."""
        if not self._open:
            self._open = True
            self._loop.add_reader(self._listening, self._take_several)

    async def close(self) -> None:
        """Take what has been connected, and close the socket."""
        if self._alone:  # others go on with the same socket, or the first process has refused for all
            refuse_newcomers(self._listening)
        self._take_all()
        await asyncio.sleep(_SETTLING)
        self._pause()
        self._take_all()
        self._listening.close()
        if self._coming:
            await asyncio.wait(self._coming)

    def _pause(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._listening)

    def _take_several(self) -> None:
        for _ in range(self._at_once):
            if not self._take():
                return

    def _take_all(self) -> None:
        while self._take():
            pass

    def _take(self) -> bool:
        """Take one connection; tell whether another may wait."""
        try:
            connected, _ = self._listening.accept()
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _OUT_OF_FILES:
                if not self._connections.make_room():
                    self._pause()
                return False
            return True  # the client has gone
        connected.settimeout(0)
        task = self._loop.create_task(self._loop.connect_accepted_socket(self._make, connected))
        self._coming.add(task)
        task.add_done_callback(self._taken)
        return True

    def _taken(self, task: asyncio.Task[object]) -> None:
        self._coming.discard(task)
        if not task.cancelled():
            task.exception()  # the client has gone
