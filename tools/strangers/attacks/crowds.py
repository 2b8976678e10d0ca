"""Attacks by connections: many of them, resets, answers that nobody reads, requests without waiting for answers."""

from __future__ import annotations

import json
import socket
import struct
import time
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from tools.strangers.attacks.attack import Attack
from tools.strangers.wire import Address, Exchange, ask, exchange, get, head, post, take_replies

if TYPE_CHECKING:
    from collections.abc import Iterator

_AWHILE = 13
"""Seconds, a few more than a silent connection is kept."""
_IDLE = 90
_PATIENT = 40
_GOOD = json.dumps({"text": "good"}).encode()
_PIPELINED = 1000


@contextmanager
def _crowd(address: Address, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open so many connections and send the same on each."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            with suppress(OSError):  # a server may refuse them
                opened.append(stack.enter_context(socket.create_connection(address, timeout=_PATIENT)))
                opened[-1].sendall(first)
        yield opened


def _ends(opened: list[socket.socket]) -> Iterator[str]:
    """Yield what has come on each connection, without waiting: its answers, or how it stands."""
    for connection in opened:
        connection.settimeout(0)
        received, end = bytearray(), "open"
        try:
            while data := connection.recv(2**16):
                received += data
            end = "closed"
        except BlockingIOError:
            pass
        except OSError:
            end = "reset"
        yield str(Exchange([*take_replies(received)], end))


def _stay(address: Address, count: int, first: bytes = b"", seconds: float = _AWHILE) -> Iterator[str]:
    with _crowd(address, count, first) as opened:
        time.sleep(seconds)
        yield from _ends(opened)


def _silent(address: Address) -> Iterator[str]:
    return _stay(address, 1000)


def _silent_horde(address: Address) -> Iterator[str]:
    return _stay(address, 10_000)


def _half_heads(address: Address) -> Iterator[str]:
    return _stay(address, 1500, b"POST /predict HTTP/1.1\r\nHost: loc")


def _idle(address: Address) -> Iterator[str]:
    return _stay(address, 1500, get("/healthz"))


def _one_idle(address: Address) -> Iterator[str]:
    """Wait until a connection that has been answered is closed."""
    yield exchange(address, [get("/healthz")], seconds=_IDLE).end


def _half_bodies(address: Address) -> Iterator[str]:
    start = head("POST", "/predict", "Host: localhost", "Content-Length: 1000")
    return _stay(address, 1500, start, seconds=_AWHILE)


def _resets(address: Address) -> Iterator[str]:
    """Send all of a request or some of it, then reset the connection."""
    whole = ask()
    for number in range(5000):
        connection = socket.create_connection(address, timeout=_PATIENT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            connection.sendall(whole[: number % (len(whole) + 1)])
        connection.close()
    yield str(exchange(address, [ask()], replies=1))


def _unread(address: Address) -> Iterator[str]:
    """Ask for many answers and read none, until the server gives up."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(_PATIENT)
        connection.connect(address)
        end = "open"
        until = time.monotonic() + _PATIENT
        try:
            while time.monotonic() < until:
                connection.sendall(1000 * get("/openapi.json"))
        except TimeoutError:
            pass
        except OSError:
            end = "closed"
        yield end


def _unread_large(address: Address) -> Iterator[str]:
    """Let large answers lie, on many connections."""
    with ExitStack() as stack:
        opened = []
        for _ in range(50):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(_PATIENT)
            connection.connect(address)
            connection.sendall(40 * get("/openapi.json"))
            opened.append(connection)
        time.sleep(_AWHILE)
        yield from ("closed or open" for _ in opened)


def _pipelined(address: Address) -> Iterator[str]:
    """Send 1,000 requests before reading; each must be answered, in its order."""
    texts = ["good" if number % 3 else "bad" for number in range(_PIPELINED)]
    answered = exchange(address, [b"".join(map(ask, texts))], replies=_PIPELINED, rude=True, seconds=120)
    right = [
        reply.status == HTTPStatus.OK and json.loads(reply.body)["sentiment"] == ("positive" if text == "good" else "negative")
        for text, reply in zip(texts, answered.replies, strict=False)
    ]
    yield "all answered in order" if len(right) == _PIPELINED and all(right) else f"{sum(right)} right of {len(right)}"


def _half_closed(address: Address) -> Iterator[str]:
    for _ in range(50):
        yield str(exchange(address, [ask()], half=True, seconds=_PATIENT))
    yield str(exchange(address, [ask(), ask()], half=True, seconds=_PATIENT)).replace("200 x2", "200")


def _broken_off(address: Address) -> Iterator[str]:
    """Close in the middle of a head or of a body."""
    whole = post(_GOOD)
    for place in range(0, len(whole), 7):
        with socket.create_connection(address, timeout=_PATIENT) as connection:
            connection.sendall(whole[:place])
        yield "closed by the client"


ATTACKS = (
    Attack("1,000 silent connections", _silent, "408, closed, reset"),
    Attack("10,000 silent connections", _silent_horde, "408, closed, reset, 503"),
    Attack("1,500 heads that stop", _half_heads, "408, closed, reset, 503", crowded=True),
    Attack("1,500 connections kept after an answer", _idle, "200"),
    Attack("a connection kept after an answer", _one_idle, "closed"),
    Attack("1,500 bodies that do not come", _half_bodies, "408, 503, closed, reset", crowded=True),
    Attack("5,000 resets in requests, then one whole", _resets, "200"),
    Attack("endless requests, no answer read", _unread, "closed"),
    Attack("50 x 40 answers not read", _unread_large, "closed or open"),
    Attack("1,000 requests before an answer is read", _pipelined, "all answered in order"),
    Attack("a side closed after the request", _half_closed, "200"),
    Attack("requests broken off", _broken_off, "closed by the client"),
)
