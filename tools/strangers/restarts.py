"""Requests without a pause while the server is stopped and started again: every one is answered, and rightly.

A request is lost if its connection was accepted, it was sent, and no whole answer came. Where nothing listens, or the server
has closed a connection before the request was sent, the client tries again; both are counted.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import cycle, islice
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge import load
from tools.strangers.served import HANGS, Served
from tools.strangers.wire import Address, Reply, ask, get, post, take_replies

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLIENTS = 16
_CLOSE = 1e-4
_PAUSE = 0.02
_AFTER_KILL = 2
"""Seconds after a worker was killed in which what is lost is counted as lost with it."""


class Question(NamedTuple):
    """A request, and what its answer must hold."""

    payload: bytes
    status: int
    wanted: dict[str, Any]


@dataclass
class Run:
    """One run: how far it is, and what came of its requests."""

    address: Address
    left: Iterator[Question]
    counts: Counter[str] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)
    killed: float = -_AFTER_KILL
    """When a worker was killed last."""
    over: Event = field(default_factory=Event)
    """Set when no server will be started again."""
    lock: Lock = field(default_factory=Lock)

    def next(self) -> Question | None:
        """Return a question that is still to be asked."""
        with self.lock:
            return next(self.left, None)

    def note(self, what: str, detail: str = "") -> None:
        """Count something, and keep the words on it."""
        with self.lock:
            self.counts[what] += 1
            if detail:
                self.details.append(detail)


class _Lost(Exception):
    """A request was sent and no whole answer came."""


class _Connection:
    """A connection of one client; some are kept for the next request."""

    def __init__(self, address: Address, *, keep: bool) -> None:
        self.keep = keep
        self._socket = socket.create_connection(address, timeout=HANGS)

    def is_over(self) -> bool:
        """Tell whether the server has closed it."""
        self._socket.settimeout(0)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self._socket.settimeout(HANGS)

    def ask(self, payload: bytes) -> Reply:
        """Return the answer to a request, which may be the last on this connection."""
        received = bytearray()
        try:
            self._socket.sendall(payload)
            while True:
                data = self._socket.recv(2**16)
                if not data:
                    raise _Lost(f"closed after {len(received)} bytes")
                received += data
                self.keep = self.keep and b"connection: close" not in received.lower()
                for reply in take_replies(received):
                    return reply
        except OSError as error:
            raise _Lost(f"{type(error).__name__} after {len(received)} bytes") from error

    def close(self) -> None:
        self._socket.close()


def restart_often(count: int, stops: int, workers: int, kills: int) -> bool:
    """Ask so often while the server is stopped so many times; print what came of it, and tell whether nothing was lost."""
    options = ["--workers", str(workers)] if workers > 1 else []
    print(f"{count} requests of {_CLIENTS} clients, {stops} SIGTERMs, {kills} SIGKILLs of a worker, {workers} processes")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()[:2]
    run = Run(address, islice(cycle(_questions()), count))
    with ThreadPoolExecutor(_CLIENTS) as pool:
        clients = [pool.submit(_client, run, keep=bool(number % 2)) for number in range(_CLIENTS)]
        try:
            slowest = _restart(run, options, count, stops, kills)
        finally:
            run.over.set()
        for client in clients:
            client.result()
    counts = run.counts
    good = counts["right"] == count and not counts["wrong"] + counts["lost"] + counts["bad ends"]
    _print(run, slowest)
    return good


def _questions() -> list[Question]:
    """Return questions of every kind, with the answers that the classifier gives here."""
    classifier = load()
    questions = []
    for number in range(500):
        text = f"{'not ' * (number % 3)}a {'good' if number % 2 else 'dreadful'} film, number {number}"
        predicted = classifier(text)
        wanted = {"sentiment": predicted.label, "score": predicted.score}
        kinds = (
            Question(ask(text), 200, wanted),
            Question(ask([text, text]), 200, {"predictions": [wanted, wanted]}),
            Question(ask(text), 200, wanted),
            Question(post(json.dumps({"text": text}).encode(), path="/explain"), 200, wanted),
            Question(get("/healthz"), 200, {}),
            Question(ask(text), 200, wanted),
            Question(post(b"not JSON"), 422, {}),
        )
        questions.append(kinds[number % len(kinds)])
    return questions


def _restart(run: Run, options: list[str], count: int, stops: int, kills: int) -> float:
    """Serve until all is answered, with so many stops and kills between; return the seconds of the slowest end."""
    slowest = 0.0
    for stop in range(stops + 1):
        with Served("--port", str(run.address[1]), *options) as server:
            goal = (stop + 1) * count // (stops + 1)
            if stop < kills:
                _wait(run, goal - count // (stops + 1) // 2)
                run.killed = time.monotonic()
                os.kill(server.processes()[-1], signal.SIGKILL)
            _wait(run, goal if stop < stops else count)
            started = time.monotonic()
            if status := server.stop():
                run.note("bad ends", f"the server ended with status {status}: {server.log.read_text()[-500:]}")
            slowest = max(slowest, time.monotonic() - started)
    return slowest


def _wait(run: Run, goal: int) -> None:
    """Wait until so many are answered."""
    while sum(run.counts[name] for name in ("right", "wrong")) < goal:
        time.sleep(_PAUSE)


def _client(run: Run, *, keep: bool) -> None:
    connection: _Connection | None = None
    while question := run.next():
        answered = False
        while not answered:
            connection = _connected(run, connection, keep=keep)
            try:
                answered = _judge(run, question, connection.ask(question.payload))
            except _Lost as lost:
                connection.keep = False
                with_worker = time.monotonic() - run.killed < _AFTER_KILL
                kept = "a kept" if keep else "a new"
                run.note("lost with a killed worker" if with_worker else "lost", f"on {kept} connection: {lost}")
            if not connection.keep:
                connection.close()
                connection = None


def _connected(run: Run, connection: _Connection | None, *, keep: bool) -> _Connection:
    """Return the connection if it is still open, else a new one."""
    while connection is None or connection.is_over():
        if connection is not None:
            run.note("closed before the request was sent")
            connection.close()
        connection = None
        try:
            connection = _Connection(run.address, keep=keep)
        except OSError as error:
            if run.over.is_set():
                raise RuntimeError("the server has ended before all was asked") from error
            run.note("refused, as nothing listened")
            time.sleep(_PAUSE)
    return connection


def _judge(run: Run, question: Question, reply: Reply) -> bool:
    """Count an answer; tell whether the question need not be asked again."""
    if reply.status == HTTPStatus.SERVICE_UNAVAILABLE:
        run.note("503, asked again")
        return False
    contents = json.loads(reply.body)
    right = reply.status == question.status and _holds(contents, question.wanted)
    run.note("right" if right else "wrong", "" if right else f"{reply} for {question}")
    return True


def _holds(found: Any, wanted: Any) -> bool:  # noqa: ANN401 - what JSON may be
    """Tell whether an answer holds what is wanted, numbers nearly."""
    if isinstance(wanted, dict):
        return all(_holds(found[name], value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_holds, found, wanted))
    return bool(abs(found - wanted) < _CLOSE if isinstance(wanted, float) else found == wanted)


def _print(run: Run, slowest: float) -> None:
    names = ["right", "wrong", "lost"]
    for name in names + sorted(run.counts.keys() - {*names}):
        print(f"{run.counts[name]:>8}  {name}")
    print(f"slowest end: {slowest:.1f} s")
    for detail, number in Counter(run.details).most_common(10):
        print(f"    {number} x {detail:.300}")
