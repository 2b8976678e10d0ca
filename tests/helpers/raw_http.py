"""HTTP as bytes on a socket, for requests that no client's library would send."""

from __future__ import annotations

import socket

LONG = 600
"""Seconds after which a server is taken to hang, not to be slow."""
BODY = b'{"text": "I loved it."}'
POST = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WHOLE_POST = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


def connect(port: int) -> socket.socket:
    """Connect to a server on this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=LONG)


def read_all(client: socket.socket) -> bytes:
    """Read until the server has ended its side; a reset is an error."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def read_one(client: socket.socket) -> tuple[int, bytes]:
    """Read an answer, and return its status and its body."""
    raw = b""
    while not (found := answers(raw)):
        received = client.recv(65536)
        assert received, "the server has closed the connection"
        raw += received
    return found[0]


def answers(raw: bytes) -> list[tuple[int, bytes]]:
    """Return the status and the body of each answer that is whole."""
    found = []
    while b"\r\n\r\n" in raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            break
        found.append((int(head.split(b" ", 2)[1]), rest[:length]))
        raw = rest[length:]
    return found
