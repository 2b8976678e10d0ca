"""The application behind the server: POST /predict and /explain, GET /, /healthz and /openapi.json."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sentiment_edge.server.batcher import Batcher
from sentiment_edge.server.limits import Limits, RequestRefused
from sentiment_edge.server.openapi import openapi
from sentiment_edge.server.requests import parse_explained, parse_text, read_body
from sentiment_edge_runtimes.errors import SentimentEdgeError, TextError
from sentiment_edge_runtimes.explanation import MOST_RUNS
from sentiment_edge_runtimes.tokenization import PROBE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.prediction import Explanation, FailedPrediction, Prediction

_PAGE = Path(__file__).parent / "page.html"
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
}
_UNREAD = (408, 413)
"""Statuses that are answered before the request was read to its end."""


class Server:
    """The application, for one classifier."""

    def __init__(self, classifier: Classifier, limits: Limits) -> None:
        self._classifier = classifier
        self._limits = limits
        self._attention = classifier.explain(PROBE).method == "attention"  # which also starts the engine
        self.batcher: Batcher | None = None
        """The batcher that runs the requests; None before the start."""
        self.app = Starlette(
            routes=[
                Route("/predict", self._predict, methods=["POST"]),
                Route("/explain", self._explain, methods=["POST"]),
                Route("/healthz", self._health),
                Route("/openapi.json", self._describe),
                Route("/", self._show_page),
            ],
            exception_handlers={
                RequestRefused: _refuse,
                HTTPException: _refuse_http,
                SentimentEdgeError: _fail,
                Exception: _fail,
            },
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.batcher = Batcher(self._classifier, self._limits)
        running = asyncio.create_task(self.batcher.run())
        try:
            yield
        finally:
            running.cancel()
            self.batcher.close()
            with suppress(asyncio.CancelledError):
                await running

    @property
    def _running(self) -> Batcher:
        if self.batcher is None:
            raise RequestRefused(503, "the server is starting")
        return self.batcher

    async def _predict(self, request: Request) -> Response:
        text = parse_text(await read_body(request, self._limits), self._limits)
        if isinstance(text, str):
            (prediction,) = await self._running.predict([text])
            if prediction.label is None:
                raise RequestRefused(422, prediction.error)
            return _json(_as_object(prediction))
        predictions = await self._running.predict(text) if text else []
        return _json({"predictions": [_as_object(prediction) for prediction in predictions]})

    async def _explain(self, request: Request) -> Response:
        text, method = parse_explained(await read_body(request, self._limits))
        if method == "attention" and not self._attention:
            family = self._classifier.bundle.manifest.family
            raise RequestRefused(422, f'a {family} model has no attention to show; send "method": "occlusion"')
        once = self._attention and method != "occlusion"
        runs = 1 if once else min(1 + len(text), MOST_RUNS)  # a word has a character at least
        return _json(_as_object(await self._running.explain(text, method, runs)))

    async def _health(self, _: Request) -> Response:
        if self._running.stopping:
            raise RequestRefused(503, "the server is stopping")
        bundle = self._classifier.bundle
        about = {"bundle": bundle.root.name, "family": bundle.manifest.family, "precision": bundle.manifest.precision}
        return _json({"status": "ok", **about, "labels": bundle.manifest.labels, "attention": self._attention})

    async def _describe(self, _: Request) -> Response:
        return _json(openapi(self._classifier.labels, self._limits))

    async def _show_page(self, _: Request) -> Response:
        page = _PAGE.read_text(encoding="utf-8").replace("ATTENTION", json.dumps(self._attention))
        return HTMLResponse(page, headers=_PAGE_HEADERS)


def _as_object(answer: Prediction | FailedPrediction | Explanation) -> dict[str, Any]:
    """Return an answer by the names of the server's; the text is not sent back."""
    entries = {name: value for name, value in answer.to_dict().items() if name != "text"}
    return {"sentiment": entries.pop("label"), **entries}


def _json(contents: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(contents, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
    return Response(body, status, headers, "application/json")


async def _refuse(_: Request, error: Exception) -> Response:
    """Answer with the reason; the rest of a request that was not read is not waited for."""
    status = error.status if isinstance(error, RequestRefused) else 500
    headers = {"Retry-After": "1"} if status in {429, 503} else {}
    return _json({"error": str(error)}, status, headers | ({"Connection": "close"} if status in _UNREAD else {}))


async def _refuse_http(_: Request, error: Exception) -> Response:
    """Answer a wrong path or method in JSON, like everything else."""
    if not isinstance(error, HTTPException):
        raise error
    return _json({"error": error.detail}, error.status_code, dict(error.headers or {}))


async def _fail(_: Request, error: Exception) -> Response:
    """Answer an unexpected error, or one of the text alone; the server goes on."""
    named = str(error) if isinstance(error, SentimentEdgeError) else f"{type(error).__name__} in the server"
    return _json({"error": named}, 422 if isinstance(error, TextError) else 500)
