"""The application behind the server: its routes, and the errors that become answers."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sentiment_edge.server.batcher import Batcher
from sentiment_edge.server.hosts import Cors, Gate
from sentiment_edge.server.limits import Limits, RequestRefused
from sentiment_edge.server.openapi import openapi
from sentiment_edge.server.records import TEXTS
from sentiment_edge.server.requests import as_json, parse_explained, parse_text, read_body
from sentiment_edge_runtimes.errors import SentimentEdgeError, TextError
from sentiment_edge_runtimes.explanation import MOST_RUNS
from sentiment_edge_runtimes.tokenization import PROBE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from sentiment_edge.server.hosts import Access
    from sentiment_edge.server.records import Records
    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.prediction import Explanation, FailedPrediction, Prediction

    Handler = Callable[[Request], Awaitable[Response]]

_PAGE = Path(__file__).parent / "page.html"
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
}
_UNREAD = (400, 403, 404, 405, 408, 413)
"""Statuses that are answered before the request was read to its end."""
_READ_METHODS = ("GET", "HEAD")


class Server:
    """The application, for one classifier."""

    def __init__(self, classifier: Classifier, limits: Limits, records: Records, access: Access) -> None:
        self._classifier = classifier
        self._attention = classifier.explain(PROBE).method == "attention"  # which also starts the engine
        self._access = access
        self._gate = Gate(access)
        self._batcher: Batcher | None = None
        self.limits = limits
        """The limits of requests and connections."""
        self.records = records
        """The counts, and the access log."""
        self.stopping = False
        """True from the signal to stop on; what is asked then is still answered."""
        self._routes: dict[str, tuple[tuple[str, ...], Handler]] = {
            "/predict": (("POST",), self._predict),
            "/explain": (("POST",), self._explain),
            "/healthz": (_READ_METHODS, self._health),
            "/readyz": (_READ_METHODS, self._ready),
            "/metrics": (_READ_METHODS, self._show_metrics),
            "/openapi.json": (_READ_METHODS, self._describe),
            "/": (_READ_METHODS, self._show_page),
        }
        records.metrics.about = {**self._about(), "engine": classifier.engine, "version": version("sentiment-edge")}
        app = Cors(self._serve, access.origins) if access.origins else self._serve
        self.app = records.watched(app, self._route)
        """The application, as ASGI has it."""

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Run the batcher from the protocol's word to begin to its word to end."""
        await receive()
        async with self._batching():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        self.records.close()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _batching(self) -> AsyncIterator[None]:
        self._batcher = Batcher(self._classifier, self.limits, self.records.metrics)
        running = asyncio.create_task(self._batcher.run())
        try:
            yield
        finally:
            running.cancel()
            self._batcher.close()
            with suppress(asyncio.CancelledError):
                await running

    @property
    def _running(self) -> Batcher:
        if self._batcher is None:
            raise RequestRefused(503, "the server is starting")
        return self._batcher

    def _route(self, path: str) -> str:
        """Return the path without the prefix that a proxy put before it; some proxies take it off themselves."""
        prefix = self._access.root_path
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            return path[len(prefix) :]
        return path

    async def _answer(self, request: Request) -> Response:
        """Return the answer to a request, whatever happens; the server goes on."""
        try:
            return await self._handle(request)
        except RequestRefused as refusal:
            return _refuse(refusal, request)
        except SentimentEdgeError as error:
            return as_json({"error": str(error)}, 422 if isinstance(error, TextError) else 500)
        except Exception as error:
            logging.getLogger(__name__).exception("a request failed")
            return as_json({"error": f"{type(error).__name__} in the server"}, 500)

    async def _handle(self, request: Request) -> Response:
        """Return the answer to a request, unless it fails."""
        self._gate.check(request.scope)
        response = await self._handler(request)(request)
        if request.method in _READ_METHODS and _has_body(request):  # which nobody reads
            response.headers["Connection"] = "close"
        return response

    def _handler(self, request: Request) -> Handler:
        path = self._route(request.scope["path"])
        if path == "":
            return self._add_slash
        if path not in self._routes:
            raise RequestRefused(404, "there is nothing at this path; /openapi.json lists the paths")
        methods, handler = self._routes[path]
        if request.method not in methods:
            raise RequestRefused(405, f"{path} takes {' and '.join(methods)} alone", {"Allow": ", ".join(methods)})
        return handler

    async def _predict(self, request: Request) -> Response:
        text = parse_text(await read_body(request, self.limits), self.limits)
        if isinstance(text, str):
            (prediction,) = await self._running.predict([text])
            if prediction.label is None:
                raise RequestRefused(422, prediction.error)
            request.scope[TEXTS] = 1
            return as_json(_as_object(prediction))
        predictions = await self._running.predict(text) if text else []
        request.scope[TEXTS] = len(text)
        return as_json({"predictions": [_as_object(prediction) for prediction in predictions]})

    async def _explain(self, request: Request) -> Response:
        text, method = parse_explained(await read_body(request, self.limits))
        if method == "attention" and not self._attention:
            family = self._classifier.bundle.manifest.family
            raise RequestRefused(422, f'a {family} model has no attention to show; send "method": "occlusion"')
        once = self._attention and method != "occlusion"
        runs = 1 if once else min(1 + len(text), MOST_RUNS)  # a word has a character at least
        explanation = await self._running.explain(text, method, runs)
        request.scope[TEXTS] = 1
        return as_json(_as_object(explanation))

    async def _health(self, _: Request) -> Response:
        about = {**self._about(), "labels": self._classifier.bundle.manifest.labels, "attention": self._attention}
        return as_json({"status": "stopping" if self.stopping else "ok", **about})

    async def _ready(self, _: Request) -> Response:
        if self.stopping or self._batcher is None:
            raise RequestRefused(503, "the server is stopping" if self.stopping else "the server is starting")
        return as_json({"status": "ready"})

    async def _show_metrics(self, request: Request) -> Response:
        text, kind = self.records.metrics.render(request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": kind})

    async def _describe(self, _: Request) -> Response:
        return as_json(openapi(self._classifier.labels, self.limits, self._access.root_path))

    async def _show_page(self, _: Request) -> Response:
        page = _PAGE.read_text(encoding="utf-8").replace("ATTENTION", json.dumps(self._attention))
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    async def _add_slash(self, _: Request) -> Response:
        """Lead a browser to the page under the prefix, from where its relative paths are right."""
        return RedirectResponse(f"{self._access.root_path}/")

    def _about(self) -> dict[str, str]:
        bundle = self._classifier.bundle
        return {"bundle": bundle.root.name, "family": bundle.manifest.family, "precision": bundle.manifest.precision}


def _as_object(answer: Prediction | FailedPrediction | Explanation) -> dict[str, Any]:
    """Return an answer by the names of the server's; the text is not sent back."""
    entries = {name: value for name, value in answer.to_dict().items() if name != "text"}
    return {"sentiment": entries.pop("label"), **entries}


def _refuse(refusal: RequestRefused, request: Request) -> Response:
    """Answer with the reason; the rest of a request that was not read is not waited for."""
    headers = {"Retry-After": "1"} if refusal.status in {429, 503} else {}
    if _has_body(request) and refusal.status in _UNREAD:
        headers["Connection"] = "close"
    return as_json({"error": str(refusal)}, refusal.status, headers | refusal.headers)


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
