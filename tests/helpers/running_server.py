"""A server in a process of its own, and how to ask it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON = {"Content-Type": "application/json"}
_HANGS = 600
"""Seconds after which the server is taken to hang, not to be slow."""


class Answer(NamedTuple):
    status: int
    contents: Any
    headers: dict[str, str]


class Running:
    """A server, and how to ask it."""

    def __init__(self, *options: str, program: tuple[str, ...] = ("-m", "sentiment_edge", "serve", "--port", "0")) -> None:
        self.process = subprocess.Popen([sys.executable, *program, *options], stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.started = self.process.stderr.readline()
        port = self.started.rpartition(":")[2].strip()
        self.port = int(port) if port.isdecimal() else 0  # at a path

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_HANGS)
        try:
            with contextlib.suppress(BrokenPipeError):  # it may answer before it has all of a body that is too large
                connection.request(method, path, body, JSON)
            response = connection.getresponse()
            raw = response.read()
            is_json = response.headers.get_content_type() == "application/json"
            return Answer(response.status, json.loads(raw) if is_json else raw.decode(), dict(response.headers))
        finally:
            connection.close()

    def predict(self, text: object) -> Answer:
        return self.ask("POST", "/predict", json.dumps({"text": text}).encode())

    def stop(self, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=_HANGS)
        return str(errors)


@contextlib.contextmanager
def starting() -> Iterator[Callable[..., Running]]:
    """Yield a function that starts servers with options; at the end, all of them are killed."""
    started: list[Running] = []

    def start(*options: str) -> Running:
        started.append(Running(*options))
        return started[-1]

    try:
        yield start
    finally:
        for running in started:
            running.process.kill()
            running.process.communicate()
