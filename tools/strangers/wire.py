"""Bytes to a server over one connection, in whatever order a client likes, and the answers that come back."""

from __future__ import annotations

import json
import select
import socket
import time
from http import HTTPStatus
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Address = tuple[str, int]
_TICK = 0.05
_MOST = 2**26
"""Bytes of answers after which reading ends."""
_MOST_HEAD = 2**16
_NO_BODY = (204, 304)
_NOT_HTTP = 999


class Reply(NamedTuple):
    """One answer of the server."""

    status: int
    body: bytes

    def __str__(self) -> str:
        return (
            str(self.status) if self.status < HTTPStatus.BAD_REQUEST or _tells(self.body) else f"{self.status} without a reason"
        )


class Exchange(NamedTuple):
    """The answers on a connection, and how it ended: closed, reset, or open when time was up."""

    replies: list[Reply]
    end: str

    def __str__(self) -> str:
        """Return the statuses in order, runs of them counted; how it ended where there is none."""
        runs = [(status, len([*run])) for status, run in groupby(map(str, self.replies))]
        return " ".join(f"{status} x{count}" if count > 1 else status for status, count in runs) or self.end


def exchange(
    address: Address, parts: Iterable[bytes], *, seconds: float = 60, replies: int = 0, rude: bool = False, half: bool = False
) -> Exchange:
    """Send parts and read what comes back, until the server closes, so many replies are there, or time is up.

    Args:
        address: the server's.
        parts: what to send.
        seconds: the longest that it takes.
        replies: how many replies are enough; 0 to wait for the end.
        rude: send on after the server has begun to answer.
        half: close the sending side after the parts.
    """
    with socket.create_connection(address, timeout=seconds) as connection:
        connection.settimeout(0)
        return _Talk(connection, parts, rude=rude, half=half).run(seconds, replies)


class _Talk:
    """A connection that is written and read at once."""

    def __init__(self, connection: socket.socket, parts: Iterable[bytes], *, rude: bool, half: bool) -> None:
        self._connection = connection
        self._parts = iter(parts)
        self._rude, self._half = rude, half
        self._rest = memoryview(b"")
        self._writes = True
        self._received, self._size = bytearray(), 0
        self._replies: list[Reply] = []
        self._poll = select.poll()
        self._poll.register(connection)

    def run(self, seconds: float, replies: int) -> Exchange:
        until = time.monotonic() + seconds
        end = "open"
        while end == "open" and time.monotonic() < until:
            readable, writable = self._ready()
            if readable:
                end = self._read()
            if writable and end == "open":
                self._write()
            if replies and len(self._replies) >= replies:
                break
        return Exchange(self._replies, end)

    def _ready(self) -> tuple[bool, bool]:
        """Wait a moment until there is something to read, or room to write."""
        wanted = select.POLLIN | (select.POLLOUT if self._writes else 0)
        self._poll.modify(self._connection, wanted)
        events = sum(event for _, event in self._poll.poll(1000 * _TICK))
        return bool(events & ~select.POLLOUT), bool(events & select.POLLOUT)

    def _read(self) -> str:
        try:
            data = self._connection.recv(2**18)
        except BlockingIOError:
            return "open"
        except OSError:
            return "reset"
        self._received += data
        self._size += len(data)
        self._replies += take_replies(self._received)
        if not self._rude:
            self._writes = False
        return "open" if data and self._size < _MOST else "closed"

    def _write(self) -> None:
        try:
            if not self._rest:
                self._rest = memoryview(next(self._parts))
            sent = self._connection.send(self._rest)
        except StopIteration:
            self._writes = False
            if self._half:
                self._connection.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:  # the server has closed; what it said before can still be read
            self._writes = False
        else:
            self._rest = self._rest[sent:]


def take_replies(raw: bytearray) -> Iterator[Reply]:
    """Take the whole answers from the start of what a server sent; those that only announce another one are left out."""
    while raw:
        start, found, _ = bytes(raw[:_MOST_HEAD]).partition(b"\r\n\r\n")
        words = start.split(b" ", 2)
        if start[:7] != b"HTTP/1."[: len(start)] or (found and not words[1].isdigit()):
            yield Reply(_NOT_HTTP, bytes(raw))
            raw.clear()
        if not found:
            return
        status = int(words[1])
        whole = len(start) + len(found) + _length(start, status)
        if whole > len(raw):
            return
        body = bytes(raw[len(start) + len(found) : whole])
        del raw[:whole]
        if status >= HTTPStatus.OK:
            yield Reply(status, body)


def _length(start: bytes, status: int) -> int:
    lines = [line.lower().partition(b":") for line in start.split(b"\r\n")[1:]]
    lengths = [int(value) for name, _, value in lines if name == b"content-length"]
    return lengths[0] if lengths and status >= HTTPStatus.OK and status not in _NO_BODY else 0


def _tells(body: bytes) -> bool:
    """Tell whether a refusal is an object with one `error`, as every refusal is."""
    try:
        contents = json.loads(body)
    except ValueError:
        return False
    return isinstance(contents, dict) and [*contents] == ["error"] and isinstance(contents["error"], str)


def post(body: bytes, *headers: str, path: str = "/predict", host: str = "localhost") -> bytes:
    """Return a request with a body of known length."""
    return head("POST", path, f"Host: {host}", f"Content-Length: {len(body)}", *headers) + body


def get(path: str, *headers: str, host: str = "localhost") -> bytes:
    """Return a request without a body."""
    return head("GET", path, f"Host: {host}", *headers)


def head(method: str, path: str, *headers: str, version: str = "HTTP/1.1") -> bytes:
    """Return the head of a request, with the headers as they are given."""
    return "\r\n".join([f"{method} {path} {version}", *headers, "", ""]).encode("latin-1")


def ask(text: object = "I loved it.") -> bytes:
    """Return a request for the sentiment of a text, or of several."""
    return post(json.dumps({"text": text}).encode())
