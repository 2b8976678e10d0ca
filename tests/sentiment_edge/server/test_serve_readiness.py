"""Life and readiness, as probes ask for them: a server that is stopping lives, is not ready, and still answers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")

from sentiment_edge.server.app import Server
from sentiment_edge.server.hosts import Access
from sentiment_edge.server.limits import Limits
from sentiment_edge.server.metrics import Metrics
from sentiment_edge.server.records import Records

if TYPE_CHECKING:
    from starlette.types import Message

    from sentiment_edge_runtimes.classifier import Classifier


class Life:
    """The application between its start and its end, without a socket."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._words: asyncio.Queue[Message] = asyncio.Queue()
        self._heard: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self._server.app({"type": "lifespan"}, self._words.get, self._heard.put))
        await self._words.put({"type": "lifespan.startup"})
        assert (await self._heard.get())["type"] == "lifespan.startup.complete"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._words.put({"type": "lifespan.shutdown"})
        assert (await self._heard.get())["type"] == "lifespan.shutdown.complete"
        await self._task

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        sent: list[Any] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        head = {"type": "http", "http_version": "1.1", "method": method, "path": path, "headers": [(b"host", b"localhost")]}
        await self._server.app(head, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"])


def test_a_server_that_is_stopping(classifier: Classifier) -> None:
    async def ask_all() -> None:
        server = Server(classifier, Limits(), Records(Metrics(), None), Access())
        life = Life(server)
        assert await life.ask("GET", "/readyz") == (503, {"error": "the server is starting"})
        assert (await life.ask("POST", "/predict", b'{"text": "good"}'))[0] == 503
        async with life:
            assert await life.ask("GET", "/readyz") == (200, {"status": "ready"})
            assert (await life.ask("GET", "/healthz"))[1]["status"] == "ok"
            before = await life.ask("POST", "/predict", b'{"text": "good"}')
            server.stopping = True
            assert await life.ask("GET", "/readyz") == (503, {"error": "the server is stopping"})
            status, health = await life.ask("GET", "/healthz")
            assert (status, health["status"]) == (200, "stopping")
            assert await life.ask("POST", "/predict", b'{"text": "good"}') == before
        assert await life.ask("POST", "/predict", b'{"text": "good"}') == (503, {"error": "the server is stopping"})

    asyncio.run(ask_all())


def test_what_is_unexpected_is_answered(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def ask_all() -> None:
        server = Server(classifier, Limits(), Records(Metrics(), None), Access())
        monkeypatch.setattr("sentiment_edge.server.app.parse_text", lambda *_: 1 // 0)
        async with Life(server) as life:
            assert await life.ask("POST", "/predict", b'{"text": "good"}') == (
                500,
                {"error": "ZeroDivisionError in the server"},
            )
            assert (await life.ask("GET", "/healthz"))[0] == 200

    asyncio.run(ask_all())
    assert "ZeroDivisionError" in capfd.readouterr().err
