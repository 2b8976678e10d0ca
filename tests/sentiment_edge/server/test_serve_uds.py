"""The server at a path instead of a port."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.raw_http import LONG, WHOLE_POST, read_one
from helpers.running_server import Running

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")
pytest.importorskip("prometheus_client", reason="needs the extra serve")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpers.support import Command

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX") or os.name == "nt", reason="sockets at paths as on POSIX")

UDS = ("-m", "sentiment_edge", "serve", "--uds")


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Go to the folder, since the whole path may be too long for a socket."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path / "socket"
    os.chdir(before)


def ask() -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(LONG)
        client.connect("socket")
        client.sendall(WHOLE_POST)
        return str(json.loads(read_one(client)[1])["sentiment"])


def test_a_path_is_answered_at_and_removed_at_the_end(path: Path, command: Command) -> None:
    server = Running("socket", program=UDS)
    assert server.started == "serving gru-mini-int8 on unix:socket\n"
    assert ask() == "positive"
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    done = command("serve", "--uds", "socket")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"cannot listen at socket: another server does" in done.stderr
    assert ask() == "positive"
    assert server.stop() == ""
    assert server.process.returncode == 0
    assert not path.exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_file_of_a_server_that_was_killed_is_replaced(path: Path, workers: str) -> None:
    killed = Running("socket", program=UDS)
    killed.process.kill()
    killed.process.communicate()
    assert path.exists()
    server = Running("socket", "--workers", workers, program=UDS)
    assert ask() == "positive"
    assert server.stop() == ""
    assert not path.exists()


def test_the_file_of_a_successor_stays(path: Path) -> None:
    first = Running("socket", program=UDS)
    path.unlink()
    second = Running("socket", program=UDS)
    assert first.stop() == ""
    assert ask() == "positive"
    assert second.stop() == ""
    assert not path.exists()


def test_where_there_can_be_no_socket(path: Path, command: Command) -> None:
    path.write_text("a diary", encoding="utf-8")
    for place, reason in (
        ("socket", b"there is a file that is no socket"),
        ("nowhere/socket", b"No such file or directory"),
        ("a" * 150, b"AF_UNIX path too long"),
    ):
        done = command("serve", "--uds", place)
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
        assert reason in done.stderr
    assert path.read_text(encoding="utf-8") == "a diary"
