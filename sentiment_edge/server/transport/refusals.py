"""Answers to what never becomes a request of the application's, in JSON like all others; the connection closes after them."""

from __future__ import annotations

import json
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_BROKEN = json.dumps({"error": "the server failed at this request"}).encode()
_JSON = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BROKEN)), (b"connection", b"close")]


class Refusal(NamedTuple):
    """A status, and the reason."""

    status: int
    reason: str

    def answer(self) -> bytes:
        """Return the whole answer."""
        body = json.dumps({"error": self.reason}).encode()
        later = "Retry-After: 1\r\n" if self.status == HTTPStatus.SERVICE_UNAVAILABLE else ""
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{later}Connection: close\r\n\r\n"
        )
        return head.encode() + body


FULL = Refusal(503, "the server has too many connections; try again in a second")
LATE = "the request's headers did not arrive within {:g} seconds"
NO_HTTP = "this is no request in HTTP/1.1: {}"
NO_TLS = Refusal(400, "the server speaks no TLS: use http:// instead of https://")
NO_HTTP_2 = Refusal(505, "the server speaks HTTP/1.1, and no HTTP/2")
OTHER_VERSION = Refusal(505, "the server speaks HTTP/1.1 and HTTP/1.0")
NO_PROXY = Refusal(501, "the server is no proxy; CONNECT is not supported")
TARGET = Refusal(400, "the request's target is not understood; send a path such as /predict")
LONG_HEAD = "the request's line and headers are larger than {} bytes"
MANY_LINES = "the request has more than {} headers"
LONG_FRAMING = Refusal(400, "the request's body has too much around it: send larger chunks, without extensions or trailers")


def answering_failures(application: Application) -> Application:
    """Return an application that answers in JSON where the given one raises before its answer began."""

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            await application(scope, receive, send)
        except BaseException:
            if scope["type"] == "http":
                await _answer_failure(send)
            raise

    return answer


async def _answer_failure(send: Send) -> None:
    with suppress(RuntimeError):  # the answer had begun already
        await send({"type": "http.response.start", "status": 500, "headers": _JSON})
        await send({"type": "http.response.body", "body": _BROKEN})
