"""Records of the server's answers: counts, and an access log of one JSON object a line."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TextIO

from sentiment_edge.server.metrics import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sentiment_edge.server.metrics import Metrics

TEXTS = "sentiment_edge.texts"
"""The scope's entry for the number of texts that were answered."""
_LONGEST_PATH, _LONGEST_CLIENT = 256, 64
"""The most characters of each in the log: even as escapes, a line is short enough for a pipe to take it whole."""
_LINES = 10_000
"""The most lines of the log that wait for a slow disk or reader; beyond them, lines are dropped."""
_LAST_LINES = 2.0
"""Seconds for the lines that wait at the end."""


class Records:
    """Counts the answers, and writes a line for each if there is a log."""

    def __init__(self, metrics: Metrics, log: TextIO | None) -> None:
        self.metrics = metrics
        """The counts."""
        self._log = None if log is None else _Log(log.fileno(), metrics.count_dropped)

    def watched(self, app: ASGIApp, route: Callable[[str], str]) -> ASGIApp:
        """Return an application that does what `app` does and records it; `route` takes a path to the app's name for it."""

        async def watch(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            answer = _Answer(scope, route(scope["path"]), self._note)

            async def noting(message: Message) -> None:
                answer.note(message)
                await send(message)

            try:
                await app(scope, receive, noting)
            finally:
                answer.end()

        return watch

    def refuse(self, status: int, client: str | None) -> None:
        """Record a refusal of what never became a request; `client` is its address."""
        self.metrics.count_request("none", "none", status, None, 0)
        if self._log is not None:
            self._log.write(_entry(client, None, None, status))

    def close(self) -> None:
        """Write the lines of the log that wait, as far as its reader takes them."""
        if self._log is not None:
            self._log.close()

    def _note(self, answer: _Answer) -> None:
        seconds = time.perf_counter() - answer.start
        scope, status = answer.scope, answer.status
        texts = scope.get(TEXTS, 0)
        self.metrics.count_request(answer.route, scope["method"], status, seconds, texts)
        if self._log is not None:
            client = scope["client"][0] if scope.get("client") else None
            size = 0 if scope["method"] == "HEAD" else answer.size
            entry = _entry(client, scope["method"], answer.path, status)
            self._log.write(entry | {"bytes": size, "seconds": round(seconds, 6), "texts": texts})


class _Answer:
    """An answer on its way; it is recorded before its last byte is handed on, so that who has it finds it counted."""

    def __init__(self, scope: Scope, route: str, done: Callable[[_Answer], None]) -> None:
        self.scope = scope
        self.path = scope["path"]
        self.route = route if route in ROUTES else "other"
        self.start = time.perf_counter()
        self.status = 500  # of an application that fails before it says anything
        self.size = 0
        self._done: Callable[[_Answer], None] | None = done

    def note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
            if not message.get("more_body", False):
                self.end()

    def end(self) -> None:
        if self._done is not None:
            done, self._done = self._done, None
            done(self)


class _Log:
    """Lines for a file, written by a thread: neither a slow nor a broken file is felt by those who write."""

    def __init__(self, file: int, dropped: Callable[[], None]) -> None:
        self._file = file
        self._dropped = dropped
        self._waiting: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._torn = False
        """Whether the last line was written in part."""

    def write(self, entry: dict[str, Any]) -> None:
        """Queue a line."""
        if self._waiting.qsize() >= _LINES:
            self._dropped()
            return
        self._waiting.put(entry)
        if self._thread is None:  # not before: a thread does not live on in a fork
            self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for the queued lines, but not for long."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(_LAST_LINES)

    def _run(self) -> None:
        while (entry := self._waiting.get()) is not None:
            try:
                self._write_out(json.dumps(entry).encode("ascii") + b"\n")
            except OSError:
                self._dropped()

    def _write_out(self, line: bytes) -> None:
        left = b"\n" + line if self._torn else line
        while left:
            written = os.write(self._file, left)
            left = left[written:]
            self._torn = bool(left)


def _entry(client: str | None, method: str | None, path: str | None, status: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {
        "time": now,
        "client": client and client[:_LONGEST_CLIENT],
        "method": method,
        "path": path and path[:_LONGEST_PATH],
        "status": status,
        "bytes": None,
        "seconds": None,
        "texts": 0,
    }
