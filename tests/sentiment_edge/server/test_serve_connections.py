"""Connections to the server: what they may send, how long they may take, and how many there may be."""

from __future__ import annotations

import json
import select
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")
pytest.importorskip("prometheus_client", reason="needs the extra serve")
pytest.importorskip("resource", reason="limits of files as on POSIX")

from helpers.limited_server import LIMITED
from helpers.raw_http import BODY, LONG, POST, WHOLE_POST, answers, connect, read_all
from helpers.running_server import Running

if TYPE_CHECKING:
    from collections.abc import Iterator

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    running = Running("head_seconds=1", "idle_seconds=1", "seconds=2", "connections=32", program=LIMITED)
    yield running
    assert running.stop() == ""
    assert running.process.returncode == 0


def told(server: Running, *parts: bytes) -> list[tuple[int, bytes]]:
    """Send parts, one after the other, and return the status and the body of each answer until the server closes."""
    with connect(server.port) as client:
        for part in parts:
            client.sendall(part)
        return answers(read_all(client))


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"\x00\x01\x02\r\n\r\n", 400, "no request in HTTP/1.1"),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, "no TLS"),
        (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, "no request in HTTP/1.1"),
        (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "no request in HTTP/1.1"),
        (b"GET http:// HTTP/1.1\r\n\r\n", 400, "target"),
        (b"GET http://localhost HTTP/1.1\r\n\r\n", 400, "target"),
        (b"GET /" + b"a" * 5_000_000, 431, "larger than 32768 bytes"),
        (b"GET / HTTP/1.1\r\nName: " + b"a" * 5_000_000, 431, "larger than 32768 bytes"),
        (b"GET / HTTP/1.1\r\nName: " + b"a" * 2**15 + b"\r\n\r\n", 431, "larger than 32768 bytes"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431, "more than 100 headers"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000, 431, "larger than 32768 bytes"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 1_000_000, 400, "send larger chunks"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" + b"a: b\r\n" * 100_000, 400, "send larger chunks"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nno number", 400, "no request in HTTP/1.1"),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, "no proxy"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "no HTTP/2"),
        (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 400, "no request in HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHo", 408, "within 1 seconds"),
        (b"", 408, "within 1 seconds"),
    ],
)
def test_what_never_becomes_a_request_is_refused_in_json(server: Running, sent: bytes, status: int, reason: str) -> None:
    ((answered, body),) = told(server, sent)
    assert answered == status
    contents = json.loads(body)
    assert list(contents) == ["error"]
    assert reason in contents["error"]
    assert server.predict("still there").status == 200


def test_a_head_within_the_limits(server: Running) -> None:
    lines = b"".join(b"a%d: %s\r\n" % (number, b"b" * 300) for number in range(97))
    ((status, _),) = told(server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + lines + b"Connection: close\r\n\r\n")
    assert status == 200


def test_chunks_of_one_byte(server: Running) -> None:
    body = json.dumps({"text": "fine " * 4000}).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\nTrailer: of-one-line\r\n\r\n"
    head = POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    ((status, _),) = told(server, head + chunks)
    assert status == 200


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("parts", [1, 2])
def test_another_protocol_is_not_taken_and_the_request_answered(server: Running, framing: str, parts: int) -> None:
    by_length = framing == "length"
    head = POST + H2C + (b"Content-Length: %d\r\n\r\n" % len(BODY) if by_length else b"Transfer-Encoding: chunked\r\n\r\n")
    body = BODY if by_length else b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    sent = [head, body] if parts == 2 else [head + body]
    ((status, answer),) = told(server, *sent)
    assert (status, json.loads(answer)["sentiment"]) == (200, "positive")


def test_a_websocket_is_no_upgrade_either(server: Running) -> None:
    wish = b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
    first, second = told(server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + wish + LAST)
    assert (first[0], second[0]) == (200, 200)


def test_many_wishes_for_another_protocol_at_once(server: Running) -> None:
    wish = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    assert [status for status, _ in told(server, wish * 1000 + LAST)] == [200] * 1001


def test_requests_that_do_not_wait_for_answers_are_answered_in_order(server: Running) -> None:
    asked = [b"/healthz" if number % 3 else b"/nothing" for number in range(2000)]
    requests = [b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" for path in asked]
    statuses = [status for status, _ in told(server, b"".join(requests) + LAST)]
    assert statuses == [200 if path == b"/healthz" else 404 for path in asked] + [200]


def test_what_follows_a_request_is_refused_after_its_answer(server: Running) -> None:
    statuses = [status for status, _ in told(server, WHOLE_POST + GET + b"\x00")]
    assert statuses == [200, 200, 400]


def test_a_client_that_has_ended_its_side_is_answered(server: Running) -> None:
    with connect(server.port) as client:
        client.sendall(GET + GET)
        client.shutdown(socket.SHUT_WR)
        assert [status for status, _ in answers(read_all(client))] == [200, 200]


@pytest.mark.parametrize("whole", [1, 2])
def test_whole_requests_before_a_broken_one_are_answered_to_a_client_that_has_ended_its_side(
    server: Running, whole: int
) -> None:
    broken = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
    with connect(server.port) as client:
        client.sendall(WHOLE_POST * whole + broken)
        client.shutdown(socket.SHUT_WR)
        assert [status for status, _ in answers(read_all(client))] == [200] * whole + [400]


def test_a_connection_without_another_request_is_closed_without_a_word(server: Running) -> None:
    assert [status for status, _ in told(server, GET)] == [200]


def test_a_body_that_nobody_needs_does_not_hide_the_answer(server: Running) -> None:
    for _ in range(5):
        ((status, _),) = told(
            server, b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n", b"a" * 3_000_000
        )
        assert status == 404


def test_a_client_that_does_not_read_is_let_go(server: Running) -> None:
    with connect(server.port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        requests = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5000
        client.setblocking(False)
        watch = select.poll()
        watch.register(client, select.POLLERR | select.POLLHUP)
        client.send(requests)
        assert watch.poll(LONG * 1000)
    assert server.predict("still there").status == 200


def test_silent_connections_give_way(server: Running) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(connect(server.port)) for _ in range(100)]
        assert server.predict("I loved it.").status == 200
        assert read_all(silent[0]) == b""


def test_when_all_are_busy_a_new_connection_is_told(server: Running) -> None:
    head = POST + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(30):  # of 32 places, two are for those that are told
            busy = stack.enter_context(connect(server.port))
            busy.sendall(head)
            assert busy.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        for _ in range(3):
            ((status, body),) = told(server, LAST)
            assert (status, b"too many connections" in body) == (503, True)
    assert server.predict("still there").status == 200


def test_a_server_without_files_left_goes_on() -> None:
    server = Running("files=26", program=LIMITED)
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(connect(server.port))
        assert server.predict("I loved it.").status == 200
    assert server.predict("I loved it.").status == 200
    assert server.stop() == ""
