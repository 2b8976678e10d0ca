"""Several processes that serve on one port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.raw_http import LONG
from helpers.running_server import Running
from helpers.waiting import eventually

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")
pytest.importorskip("prometheus_client", reason="needs the extra serve")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_runtimes.classifier import Classifier

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the processes as on Linux")


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    running = Running("--workers", "2")
    yield running
    workers = children(running)
    told = running.stop().splitlines()
    assert all(line.endswith("; another is started") for line in told)
    assert running.process.returncode == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def children(server: Running) -> set[int]:
    process = server.process.pid
    listed = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return {int(number) for number in listed.split()}


def counted(server: Running) -> float:
    lines = server.ask("GET", "/metrics").contents.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("sentiment_edge_texts_total"))


def test_two_processes_answer_and_count_together(server: Running, classifier: Classifier) -> None:
    assert len(children(server)) == 2
    before = counted(server)
    texts = [f"a {'good' if number % 3 else 'bad'} film {number}" for number in range(100)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.predict, texts))
    assert [answer.contents["sentiment"] for answer in answers] == [row.label for row in classifier(texts)]
    for _ in range(10):  # whichever process is asked
        assert counted(server) == before + len(texts)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_ends_is_started_again(server: Running, number: int) -> None:
    before = children(server)
    os.kill(min(before), number)
    eventually(lambda: len(children(server) - {min(before)}) == 2)
    assert max(before) in children(server)
    for _ in range(20):
        assert server.predict("I loved it.").status == 200


def test_they_end_where_the_first_process_is_killed() -> None:
    running = Running("--workers", "2")
    workers = children(running)
    running.process.kill()
    running.process.communicate(timeout=LONG)  # the workers hold its standard error
    eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_they_end_where_the_first_process_is_killed_while_they_start() -> None:
    program = [sys.executable, "-m", "sentiment_edge", "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as first:
        listed = Path(f"/proc/{first.pid}/task/{first.pid}/children")
        eventually(lambda: len(listed.read_text("ascii").split()) == 2)
        workers = listed.read_text("ascii").split()
        first.kill()
    eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
