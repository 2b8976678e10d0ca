"""Attacks before a body: heads without an end, too large, too slow, or of another protocol."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.strangers.attacks.attack import MANY, Attack, endless, slowly
from tools.strangers.wire import Address, Exchange, ask, exchange, get, head, post

if TYPE_CHECKING:
    from collections.abc import Iterator

_START = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
_LINE = b"X-Filler: " + 1000 * b"a" + b"\r\n"
_FILL = 2**16 * b"a"
_SHORT = 3
"""Seconds in which a second answer would come."""
_TOO_LONG = 20
"""Seconds after which the server has left a slow head open for too long."""
_HELLO = bytes.fromhex("16030100c4010000c00303") + 32 * b"\x2a" + b"\x00" * 153
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def _endless_heads(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, endless(_START, _LINE), rude=rude)


def _endless_line(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, endless(_START + b"X-Filler: ", _FILL), rude=rude)


def _endless_name(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, endless(_START, _FILL), rude=rude)


def _large_line(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, [_START, b"X-Filler: " + 50_000_000 * b"a" + b"\r\n\r\n"], rude=rude)


def _many_lines(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, [_START + 100_000 * b"a: b\r\n" + b"\r\n"], rude=rude)


def _endless_address(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, endless(b"GET /", _FILL), rude=rude)


def _endless_method(address: Address) -> Iterator[Exchange]:
    yield exchange(address, endless(b"", _FILL.upper()), rude=True)


def _endless_lines_between(address: Address) -> Iterator[Exchange]:
    """Send line ends, which a server skips before a request."""
    yield exchange(address, endless(b"", 2**15 * b"\r\n"), rude=True, seconds=_TOO_LONG)


def _slow_head(address: Address) -> Iterator[Exchange]:
    yield exchange(address, slowly(_START + 100 * b"a"), seconds=_TOO_LONG)


def _slow_lines(address: Address) -> Iterator[Exchange]:
    yield exchange(address, _lines_slowly(), seconds=_TOO_LONG)


def _lines_slowly() -> Iterator[bytes]:
    yield _START
    for _ in range(_TOO_LONG):
        time.sleep(1)
        yield b"X-Filler: a\r\n"


def _silent(address: Address) -> Iterator[Exchange]:
    yield exchange(address, [], seconds=_TOO_LONG)


def _nul_bytes(address: Address) -> Iterator[Exchange]:
    for raw in (b"\0", b"\x01", b"\x1b[2J", b"\x7f"):
        yield exchange(address, [get("/healthz").replace(b"healthz", b"health" + raw)], seconds=_SHORT)
        yield exchange(address, [get("/healthz", "X-A: b").replace(b"b", b"b" + raw)], seconds=_SHORT)
        yield exchange(address, [raw + get("/healthz")], seconds=_SHORT)


def _old(address: Address) -> Iterator[Exchange]:
    for raw in (
        b"GET /\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET / HTTP/3.0\r\n\r\n",
        b"GET / HTTP/1.9\r\n\r\n",
    ):
        yield exchange(address, [raw], seconds=_SHORT, half=True)


def _hello(address: Address) -> Iterator[Exchange]:
    yield exchange(address, [_HELLO], seconds=_TOO_LONG)


def _preface(address: Address) -> Iterator[Exchange]:
    yield exchange(address, [_PREFACE], seconds=_TOO_LONG)


def _upgrades(address: Address) -> Iterator[Exchange]:
    """Ask for another protocol; the request is answered in this one."""
    h2c = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
    web_socket = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )
    for headers in (h2c, web_socket, ("Connection: upgrade", "Upgrade: TLS/1.2"), ("Upgrade: h2c",)):
        yield exchange(address, [post(b'{"text": "good"}', *headers), ask()], seconds=_SHORT, replies=2)
        yield exchange(address, [get("/healthz", *headers), ask()], seconds=_SHORT, replies=2)


def _foreign_hosts(address: Address) -> Iterator[Exchange]:
    for host in (
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "1.2.3.4",
        "[::2]",
        "2130706433",
    ):
        yield exchange(address, [post(b'{"text": "good"}', host=host)], seconds=_SHORT, replies=1)
    yield exchange(address, [head("GET", "http://evil.example/healthz", "Host: evil.example")], seconds=_SHORT, replies=1)


def _odd_hosts(address: Address) -> Iterator[Exchange]:
    for lines in (
        [],
        ["Host: localhost", "Host: evil.example"],
        ["Host: evil.example", "Host: localhost"],
        ["Host: "],
        ["Host: a b"],
        ["Host: localhost@evil.example"],
    ):
        yield exchange(address, [head("GET", "/healthz", *lines)], seconds=_SHORT, replies=1)


def _forged_log(address: Address) -> Iterator[Exchange]:
    """Ask for paths that would forge a line of the access log, or colour a terminal."""
    forged = '%0a{"status": 200, "path": "/forged"}%1b[31m'.replace(" ", "")
    for path in (
        f"/{forged}",
        f"/%0d%0a{forged}",
        "/%00",
        "/%1b]0;title%07",
        "/%e2%80%a8",
        "/%c2%85",
        "/%ff",
        f"/?{forged}",
        "/\x7f",
        "/\x9b31m",
    ):
        yield exchange(address, [get(path)], seconds=_SHORT, replies=1)


ATTACKS = (
    Attack("endless header lines", _endless_heads, "431"),
    Attack("an endless header line", _endless_line, "431"),
    Attack("an endless name of a header", _endless_name, "431, 400"),
    Attack("a header line of 50 MB", _large_line, "431"),
    Attack("100,000 header lines", _many_lines, "431"),
    Attack("an endless URL", _endless_address, "431, 414"),
    Attack("an endless method", _endless_method, "400, 431"),
    Attack(f"{MANY // 2**20} MB of line ends before a request", _endless_lines_between, "400, 408, 431"),
    Attack("a head, a byte a second", _slow_head, "408"),
    Attack("a head, a line a second", _slow_lines, "408"),
    Attack("a silent connection", _silent, "408, closed"),
    Attack("control characters in a head", _nul_bytes, "400, 404"),
    Attack("HTTP/0.9 and versions that are none", _old, "400, 505, closed"),
    Attack("TLS", _hello, "400"),
    Attack("HTTP/2 without asking", _preface, "400, 505"),
    Attack("another protocol asked for", _upgrades, "200 x2"),
    Attack("a foreign Host", _foreign_hosts, "403, 421"),
    Attack("no Host, two, or an odd one", _odd_hosts, "400, 403, 421"),
    Attack("forged lines for the access log", _forged_log, "404, 400, 200"),
)
