"""The access log: one JSON object a line, whatever clients send; a broken log harms no answer."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest
from helpers.raw_http import LONG, connect, read_all
from helpers.running_server import Running
from helpers.waiting import eventually

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = ["time", "client", "method", "path", "status", "bytes", "seconds", "texts"]


@pytest.fixture
def server() -> Iterator[Running]:
    running = Running("--access-log", "--max-texts", "50")
    yield running
    running.process.kill()
    running.process.communicate()


def send(server: Running, request: bytes) -> bytes:
    with connect(server.port) as client:
        client.sendall(request)
        return read_all(client)


def lines(log: str) -> list[dict[str, Any]]:
    assert log.isascii() and log.endswith("\n")
    assert all(line.isprintable() and len(line) < 4000 for line in log.splitlines())
    return [json.loads(line) for line in log.splitlines()]


def test_a_line_for_each_answer(server: Running) -> None:
    before = datetime.now(UTC)
    answers = [server.predict("good"), server.predict(["a", "b"]), server.predict(""), server.ask("GET", "/nope?secret=1")]
    connection = HTTPConnection("127.0.0.1", server.port, timeout=LONG)
    connection.request("HEAD", "/healthz")
    connection.getresponse().read()
    connection.close()
    noted = lines(server.stop())
    assert [[*line] for line in noted] == [FIELDS] * 5
    assert [(line["method"], line["path"], line["status"], line["texts"]) for line in noted] == [
        ("POST", "/predict", 200, 1),
        ("POST", "/predict", 200, 2),
        ("POST", "/predict", 422, 0),
        ("GET", "/nope", 404, 0),
        ("HEAD", "/healthz", 200, 0),
    ]
    lengths = [int(answer.headers["content-length"]) for answer in answers]
    assert [line["bytes"] for line in noted] == [*lengths, 0]
    for line in noted:
        time = datetime.fromisoformat(line["time"])
        assert time.utcoffset() == timedelta(0)
        assert before - timedelta(seconds=1) <= time <= datetime.now(UTC)
        assert line["client"] == "127.0.0.1"
        assert 0 < line["seconds"] < 600


def test_nothing_that_a_client_sends_makes_or_breaks_a_line(server: Running) -> None:
    paths = [b"/%0a%0dforged", b"/%00%1b[31m", b"/%ff%fe", "/\N{SNOWMAN}".encode(), b"/%e2%80%a8", b"/" + b"%f0%9f%98%80" * 900]
    for path in paths:
        for client in (b"\x01\x1b[0m", b"\xff" * 900):
            headers = b"Host: localhost\r\nX-Forwarded-For: " + client + b"\r\nConnection: close"
            send(server, b"GET " + path + b" HTTP/1.1\r\n" + headers + b"\r\n\r\n")
    send(server, b"\x1b[31m\n\nforged\r\n\r\n")
    noted = lines(server.stop())
    assert len(noted) == 2 * len(paths) + 1
    assert "\n\rforged" in {str(line["path"])[1:] for line in noted}
    refused = [line for line in noted if line["path"] is None]
    assert {line["status"] for line in refused} == {400}
    last = {name: refused[-1][name] for name in FIELDS if name not in {"time", "status", "path"}}
    assert last == {"client": "127.0.0.1", "method": None, "bytes": None, "seconds": None, "texts": 0}


def test_lines_of_many_at_once_are_whole(server: Running) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert {answer.status for answer in pool.map(server.predict, ["good"] * 300)} == {200}
    noted = lines(server.stop(signal.SIGINT))
    assert [(line["path"], line["status"], line["texts"]) for line in noted] == [("/predict", 200, 1)] * 300


def started_into(log: IO[Any] | int) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server whose stderr is a file; its port is one that was free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = [sys.executable, "-m", "sentiment_edge", "serve", "--access-log", "--port", str(port)]
    process = subprocess.Popen(program, stderr=log)
    eventually(lambda: process.poll() is not None or listens(port))
    return process, port


def listens(port: int) -> bool:
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return False
    return True


def ask(port: int, count: int) -> set[int]:
    connection = HTTPConnection("127.0.0.1", port, timeout=LONG)
    statuses = set()
    for _ in range(count):
        connection.request("POST", "/predict", b'{"text": "good"}')
        response = connection.getresponse()
        response.read()
        statuses.add(response.status)
    connection.close()
    return statuses


def dropped(port: int) -> float:
    connection = HTTPConnection("127.0.0.1", port, timeout=LONG)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return next(
        float(line.split()[1]) for line in text.splitlines() if line.startswith("sentiment_edge_log_lines_dropped_total")
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to write to")
def test_a_full_disk() -> None:
    with Path("/dev/full").open("wb") as full:
        process, port = started_into(full)
    assert ask(port, 50) == {200}
    eventually(lambda: dropped(port) > 0)
    process.terminate()
    assert process.wait(LONG) in {0, 120}  # 120: Python's own, for stderr that could not be flushed


@pytest.mark.skipif(os.name == "nt", reason="pipes as on POSIX")
def test_a_closed_pipe() -> None:
    reading, writing = os.pipe()
    process, port = started_into(writing)
    os.close(writing)
    os.close(reading)
    assert ask(port, 50) == {200}
    eventually(lambda: dropped(port) > 0)
    process.terminate()
    process.wait(LONG)


@pytest.mark.skipif(os.name == "nt", reason="pipes as on POSIX")
def test_a_pipe_that_nobody_reads() -> None:
    reading, writing = os.pipe()
    process, port = started_into(writing)
    os.close(writing)
    assert ask(port, 1000) == {200}  # more lines than a pipe holds
    process.terminate()
    assert process.wait(LONG) == 0
    os.close(reading)
