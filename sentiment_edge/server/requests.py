"""Reading and checking the body of a request."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from sentiment_edge.server.limits import Limits, RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

_READ_OUT = 4 * 2**20
"""Bytes beyond the limit that are read and dropped: a client that is cut off while it sends loses the answer."""
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
    try:
        contents = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise RequestRefused(422, "the request is not UTF-8") from None
    except (ValueError, RecursionError):
        raise RequestRefused(422, 'the request is not JSON; send {"text": "..."}') from None
    text = contents.get("text") if isinstance(contents, dict) else None
    if not isinstance(text, list):
        return _checked("text", text)
    if len(text) > limits.texts:
        raise RequestRefused(413, f"{len(text)} texts in one request; at most {limits.texts} are allowed")
    return [_checked(f"text {index}", item) for index, item in enumerate(text)]


def _checked(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise RequestRefused(422, f'{name} must be a string; send {{"text": "..."}} or {{"text": ["...", "..."]}}')
    if not text.strip():
        raise RequestRefused(422, f"{name} is empty")
    return text
