"""The short form of `make server`: the attacks that take no time, against a real server; and that faults are seen."""

from __future__ import annotations

import socket
import sys
from threading import Thread

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")
if not sys.platform.startswith("linux"):
    pytest.skip("memory is read as Linux tells it", allow_module_level=True)

from tools.strangers.hostile_client import ATTACKS, attack_all
from tools.strangers.wire import exchange, get, take_replies

QUICK = (
    "endless header lines",
    "100,000 header lines",
    "HTTP/2 without asking",
    "another protocol asked for",
    "a foreign Host",
    "forged lines for the access log",
    "endless trailers",
    "unknown packing",
    "deep JSON, and a long number",
    "1,000 requests before an answer is read",
)


def test_quick_attacks_break_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [attack for attack in ATTACKS if attack.name in QUICK]
    assert len(chosen) == len(QUICK)
    assert attack_all(chosen, None, 1), capsys.readouterr().out
    assert capsys.readouterr().out.endswith("broken: none\n")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b'HTTP/1.1 400 Bad\r\nContent-Length: 14\r\n\r\n{"error": "a"}', "400"),
        (b"HTTP/1.1 400 Bad\r\nContent-Length: 5\r\n\r\nwrong", "400 without a reason"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 2, "200 x2"),
        (b"", "closed"),
        (b"SSH-2.0-none\r\n", "999 without a reason"),
    ],
)
def test_answers_are_told_as_they_are(answer: bytes, told: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=_answer_once, args=(listening, answer))
        thread.start()
        assert str(exchange(listening.getsockname(), [get("/")])) == told
        thread.join()


def test_a_part_of_an_answer_is_left() -> None:
    raw = bytearray(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")
    assert [reply.body for reply in take_replies(raw)] == [b"abc"]
    assert raw.endswith(b"\r\nab")


def _answer_once(listening: socket.socket, answer: bytes) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(answer)
