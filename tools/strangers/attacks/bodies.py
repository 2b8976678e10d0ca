"""Attacks by a body: without an end, too slow, packed, nested, ambiguous in its length."""

from __future__ import annotations

import gzip
import json
import zlib
from functools import cache
from typing import TYPE_CHECKING

from tools.strangers.attacks.attack import Attack, endless, slowly
from tools.strangers.wire import Address, Exchange, ask, exchange, head, post

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNKED = head("POST", "/predict", "Host: localhost", "Transfer-Encoding: chunked")
_MEGABYTE = 2**20
_SHORT = 3
"""Seconds in which a second answer would come."""
_PATIENT = 40
_SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
_GOOD = b'{"text": "good"}'


def _slow_body(address: Address) -> Iterator[Exchange]:
    yield exchange(address, slowly_after(post(1000 * b" ")), seconds=_PATIENT)


def slowly_after(request: bytes) -> Iterator[bytes]:
    """Yield a head at once, and its body a byte at a time."""
    start, between, body = request.partition(b"\r\n\r\n")
    yield start + between
    yield from slowly(body)


def _no_body(address: Address) -> Iterator[Exchange]:
    yield exchange(address, [head("POST", "/predict", "Host: localhost", "Content-Length: 10")], seconds=_PATIENT)
    waiting = head("POST", "/predict", "Host: localhost", "Content-Length: 10", "Expect: 100-continue")
    yield exchange(address, [waiting], seconds=_PATIENT)


def _declared(address: Address) -> Iterator[Exchange]:
    for length in ("10000000000", "9" * 19, "9" * 400):
        yield exchange(address, [head("POST", "/predict", "Host: localhost", f"Content-Length: {length}")], seconds=_SHORT)


def _endless_chunks(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, endless(_CHUNKED, b"10000\r\n" + 2**16 * b"a" + b"\r\n"), rude=rude)


def _small_chunks(address: Address) -> Iterator[Exchange]:
    body = json.dumps({"text": 100_000 * "a"}).encode()
    yield exchange(address, [_CHUNKED, b"".join(b"1\r\n%c\r\n" % byte for byte in body), b"0\r\n\r\n"], replies=1)


def _endless_small_chunks(address: Address) -> Iterator[Exchange]:
    yield exchange(address, endless(_CHUNKED, 4096 * b"1\r\na\r\n"), rude=True)


def _endless_extensions(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, endless(_CHUNKED + b"5;name=", 2**16 * b"a"), rude=rude)
        yield exchange(address, endless(_CHUNKED, b"1;" + 2**14 * b"a" + b"\r\na\r\n"), rude=rude)


def _endless_trailers(address: Address) -> Iterator[Exchange]:
    for rude in (False, True):
        yield exchange(address, endless(_CHUNKED + b"0\r\n", b"X-Filler: " + 1000 * b"a" + b"\r\n"), rude=rude)
        yield exchange(address, endless(_CHUNKED + b"0\r\nX-Filler: ", 2**16 * b"a"), rude=rude)


def _endless_size(address: Address) -> Iterator[Exchange]:
    yield exchange(address, endless(_CHUNKED, 2**16 * b"0"), rude=True)


@cache
def _bomb() -> bytes:
    """Pack 1 GB of spaces."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(2**20 * b" ") for _ in range(1024)) + packer.flush()


def _bombs(address: Address) -> Iterator[Exchange]:
    yield exchange(address, [post(_bomb(), "Content-Encoding: gzip")], replies=1)
    start = gzip.compress(_GOOD)
    yield exchange(address, [post(start + _bomb(), "Content-Encoding: gzip")], replies=1)


def _bad_packing(address: Address) -> Iterator[Exchange]:
    packed = gzip.compress(_GOOD)
    for body in (packed[:-9], packed[:12], packed[:-8] + 8 * b"\0", _GOOD, b"", packed + b"rest"):
        yield exchange(address, [post(body, "Content-Encoding: gzip")], replies=1)


def _unknown_packing(address: Address) -> Iterator[Exchange]:
    for name in ("br", "zstd", "deflate", "gzip, gzip", "rot13"):
        yield exchange(address, [post(gzip.compress(_GOOD), f"Content-Encoding: {name}")], replies=1)


def _nested(address: Address) -> Iterator[Exchange]:
    deep = _MEGABYTE // 2 - 100
    for body in (
        deep * b"[",
        b'{"text": ' + deep * b"[" + deep * b"]" + b"}",
        (deep // 5) * b'{"text":',
        b'{"text": ' + 500_000 * b"9" + b"}",
    ):
        yield exchange(address, [post(body)], replies=1)


def _many_keys(address: Address) -> Iterator[Exchange]:
    keys = ",".join(f'"{number}":0' for number in range(90_000))
    yield exchange(address, [post(b'{"text":"good",%b}' % keys.encode())], replies=1)


def _largest(address: Address) -> Iterator[Exchange]:
    """Send what the limits just allow."""
    words = 160 * "good "
    for text in ([words] * 1024, "good " * 200_000, ["a"] * 1024):
        yield exchange(address, [ask(text)], replies=1)
    yield exchange(
        address, [post(json.dumps({"text": "good " * 200_000, "method": "occlusion"}).encode(), path="/explain")], replies=1
    )


def _too_many(address: Address) -> Iterator[Exchange]:
    yield exchange(address, [ask(["a"] * 1025)], replies=1)
    yield exchange(address, [ask("a" * _MEGABYTE)], replies=1)


def _odd_texts(address: Address) -> Iterator[Exchange]:
    for body in (b'{"text": "\xff\xfe"}', b'{"text": "a\0b"}', b"\xff", b"\0", b'{"text": "\xed\xa0\x80"}'):
        yield exchange(address, [post(body)], replies=1)
    for text in ("\0", "a\0b", "\ud800", "\udc00 \ud800", "\u202e", 1000 * "\u0301", "\U000e0041"):
        yield exchange(address, [ask(f"good {text}")], replies=1)


def _lengths(address: Address) -> Iterator[Exchange]:
    """Send requests whose length two servers may read differently; the second request in them must not be answered."""
    whole = b"0\r\n\r\n" + _SMUGGLED
    chunked = (
        "chunked",
        "Chunked",
        "chunked, identity",
        "identity, chunked",
        "gzip, chunked",
        "xchunked",
        "chunked;a=b",
        '"chunked"',
        "\x0bchunked",
    )
    for coding in chunked:
        lines = ("Host: localhost", f"Content-Length: {len(whole)}", f"Transfer-Encoding: {coding}")
        yield exchange(address, [head("POST", "/predict", *lines) + whole], seconds=_SHORT)
        yield exchange(address, [head("POST", "/predict", lines[0], lines[2], lines[1]) + whole], seconds=_SHORT)
    for odd in (
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
    ):
        yield exchange(
            address, [head("POST", "/predict", "Host: localhost", f"Content-Length: {len(whole)}", odd) + whole], seconds=_SHORT
        )
    length = len(_GOOD)
    for odd in (
        f"{length}\r\nContent-Length: {length + len(_SMUGGLED)}",
        f"{length}, {length + len(_SMUGGLED)}",
        f"+{length}",
        f"0x{length:x}",
        f"-{length}",
        f"{length} 0",
        f"{length}a",
        f"\r\n {length}",
    ):
        both = head("POST", "/predict", "Host: localhost", f"Content-Length: {odd}", "Connection: close") + _GOOD + _SMUGGLED
        yield exchange(address, [both], seconds=_SHORT)


def _chunk_ends(address: Address) -> Iterator[Exchange]:
    """Frame chunks in ways that two servers may read differently."""
    size = f"{len(_GOOD):x}".encode()
    closing = head("POST", "/predict", "Host: localhost", "Transfer-Encoding: chunked", "Connection: close")
    for framed in (
        size + b"\n" + _GOOD + b"\n0\n\n",
        b"0x" + size + b"\r\n" + _GOOD + b"\r\n0\r\n\r\n",
        b" " + size + b"\r\n" + _GOOD + b"\r\n0\r\n\r\n",
        size + b";\nxx\r\n" + _GOOD + b"\r\n0\r\n\r\n",
        size + b"\r\n" + _GOOD + b"0\r\n\r\n",
        b"-1\r\n" + _GOOD + b"\r\n0\r\n\r\n",
        b"f" * 17 + b"\r\n" + _GOOD + b"\r\n0\r\n\r\n",
        size + b"\r\n" + _GOOD + b"\r\n0\r\nContent-Length: 99\r\nHost: evil.example\r\n\r\n",
    ):
        yield exchange(address, [closing + framed + _SMUGGLED], seconds=_SHORT)


_ONE = "200, 400, 403, 408, 411, 413, 415, 422, 431, 501, closed"
"""Any single answer: none to the request that was hidden."""
ATTACKS = (
    Attack("a body, a byte a second", _slow_body, "408"),
    Attack("a body that does not come", _no_body, "408"),
    Attack("a length of 10 GB and more", _declared, "413, 400"),
    Attack("endless chunks", _endless_chunks, "413"),
    Attack("100,000 chunks of a byte", _small_chunks, "200, 400, 413"),
    Attack("endless chunks of a byte", _endless_small_chunks, "413, 400, 431"),
    Attack("endless extensions of chunks", _endless_extensions, "413, 400, 431"),
    Attack("endless trailers", _endless_trailers, "400, 413, 431"),
    Attack("a chunk's size without end", _endless_size, "400, 413, 431"),
    Attack("gzip that unpacks to 1 GB", _bombs, "413, 422"),
    Attack("gzip that is damaged, cut or none", _bad_packing, "400, 422"),
    Attack("unknown packing", _unknown_packing, "415"),
    Attack("deep JSON, and a long number", _nested, "422"),
    Attack("JSON of 90,000 keys", _many_keys, "200, 413, 422"),
    Attack("all that the limits allow", _largest, "200"),
    Attack("a little more than the limits allow", _too_many, "413"),
    Attack("bytes that are no text, NUL, half pairs", _odd_texts, "200, 422"),
    Attack("two lengths, and other ambiguous ones", _lengths, _ONE),
    Attack("chunks framed ambiguously", _chunk_ends, _ONE),
)
