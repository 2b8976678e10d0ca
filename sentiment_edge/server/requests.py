"""Reading and checking the body of a request."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

from sentiment_edge.server.limits import Limits, RequestRefused
from sentiment_edge_runtimes.vocabulary import METHOD_CHOICES

if TYPE_CHECKING:
    from starlette.requests import Request

    from sentiment_edge_runtimes.vocabulary import MethodChoice

_READ_OUT = 4 * 2**20
"""Bytes beyond the limit that are read and dropped: a client that is cut off while it sends loses the answer."""
_ONE_TEXT = 'send {"text": "..."}'
_CLOSED = 400
"""Status for a client that went away before its request was complete; nobody reads it."""


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return the body, read no further than the limits allow.

    Raises:
        RequestRefused: it is too large, or arrives too slowly.
    """
    too_large = RequestRefused(413, f"the request is larger than {limits.body} bytes")
    most = limits.body + _READ_OUT
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most:
        raise too_large
    body, received = bytearray(), 0
    try:
        async with asyncio.timeout(limits.seconds):
            async for chunk in request.stream():
                received += len(chunk)
                body += chunk[: limits.body]
                if received > limits.body:
                    body.clear()
                if received > most:
                    break
    except TimeoutError:
        raise RequestRefused(408, f"the request did not arrive within {limits.seconds:g} seconds") from None
    except ClientDisconnect:
        raise RequestRefused(_CLOSED, "the request broke off") from None
    if received > limits.body:
        raise too_large
    return bytes(body)


def parse_text(body: bytes, limits: Limits) -> str | list[str]:
    """Return the value of `text` in a JSON object: a text, or a list of texts.

    Raises:
        RequestRefused: it is not that, or there are too many.
    """
    text = _parsed(body).get("text")
    advice = f'{_ONE_TEXT} or {{"text": ["...", "..."]}}'
    if not isinstance(text, list):
        return _checked("text", text, advice)
    if len(text) > limits.texts:
        raise RequestRefused(413, f"{len(text)} texts in one request; at most {limits.texts} are allowed")
    return [_checked(f"text {index}", item, advice) for index, item in enumerate(text)]


def parse_explained(body: bytes) -> tuple[str, MethodChoice]:
    """Return the values of `text` and `method` in a JSON object: a text, and how it is to be explained, null for `auto`.

    Raises:
        RequestRefused: they are not that.
    """
    contents = _parsed(body)
    asked = contents.get("method")
    method: MethodChoice = "auto" if asked is None else asked
    if method not in METHOD_CHOICES:
        raise RequestRefused(422, f"method must be one of {', '.join(METHOD_CHOICES)}")
    return _checked("text", contents.get("text"), _ONE_TEXT), method


def _parsed(body: bytes) -> dict[str, Any]:
    """Return the object in a body; an empty one in the place of anything else that is JSON."""
    try:
        contents = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise RequestRefused(422, "the request is not UTF-8") from None
    except (ValueError, RecursionError):
        raise RequestRefused(422, f"the request is not JSON; {_ONE_TEXT}") from None
    return contents if isinstance(contents, dict) else {}


def _checked(name: str, text: object, advice: str) -> str:
    if not isinstance(text, str):
        raise RequestRefused(422, f"{name} must be a string; {advice}")
    if not text.strip():
        raise RequestRefused(422, f"{name} is empty")
    return text
