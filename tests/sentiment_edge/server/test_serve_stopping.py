"""The server's end: what was accepted is answered, and nothing is reset."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.raw_http import LONG, WHOLE_POST, answers, connect, read_all, read_one
from helpers.running_server import Running, starting
from helpers.waiting import eventually

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")
pytest.importorskip("prometheus_client", reason="needs the extra serve")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    with starting() as start_one:
        yield start_one


def closed(server: Running) -> bool:
    """Tell whether nothing listens any more: the server has begun to stop."""
    try:
        connect(server.port).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_waits_at_the_door_is_answered(start: Callable[..., Running], number: int, workers: str) -> None:
    server = start("--workers", workers)
    processes = [server.process.pid, *children(server.process.pid)]
    with ExitStack() as stack:
        kept = stack.enter_context(connect(server.port))
        kept.sendall(WHOLE_POST)
        kept.recv(65536)
        for process in processes:  # nothing that comes now is seen before the signal is
            os.kill(process, signal.SIGSTOP)
        clients = [stack.enter_context(connect(server.port)) for _ in range(100)]
        for client in (*clients, kept):
            client.sendall(WHOLE_POST)
        os.kill(server.process.pid, number)
        for process in processes:
            os.kill(process, signal.SIGCONT)
        for client in (*clients, kept):
            assert [status for status, _ in answers(read_all(client))] == [200]
    assert server.process.communicate(timeout=LONG)[1] == ""
    assert server.process.returncode == 0


def children(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()]


def test_silent_and_idle_connections_are_ended_and_not_reset(start: Callable[..., Running]) -> None:
    server = start()
    with connect(server.port) as silent, connect(server.port) as idle:
        idle.sendall(WHOLE_POST)
        read_one(idle)
        server.process.send_signal(signal.SIGTERM)
        assert (silent.recv(1), idle.recv(1)) == (b"", b"")
    assert server.stop() == ""
    assert server.process.returncode == 0


def test_a_body_that_is_under_way_may_still_arrive(start: Callable[..., Running]) -> None:
    server = start("--timeout", str(LONG))
    with connect(server.port) as client:
        client.sendall(WHOLE_POST[:-5])
        server.predict("one more, so that the other has been read")
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: closed(server))
        client.sendall(WHOLE_POST[-5:])
        raw = read_all(client)
        assert b"\r\nconnection: close\r\n" in raw
        assert [status for status, _ in answers(raw)] == [200]
    assert server.stop() == ""
    assert server.process.returncode == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_interrupt_ends_at_once(start: Callable[..., Running], workers: str) -> None:
    server = start("--timeout", str(LONG), "--workers", workers)
    with connect(server.port) as client:
        client.sendall(WHOLE_POST[:-5])
        server.predict("one more, so that the other has been read")
        server.process.send_signal(signal.SIGINT)
        eventually(lambda: closed(server))
        assert server.process.poll() is None
        assert server.stop(signal.SIGINT) == ""
    assert server.process.returncode == -signal.SIGINT
