"""Reading and checking the body of a request."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

from sentiment_edge.server.limits import Limits, RequestRefused
from sentiment_edge_runtimes.errors import OptionError, check_choice
from sentiment_edge_runtimes.vocabulary import METHOD_CHOICES

if TYPE_CHECKING:
    from starlette.requests import Request

    from sentiment_edge_runtimes.vocabulary import MethodChoice

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
    text = _parsed(body).get("text")
    if not isinstance(text, list):
        return _checked("text", text)
    if len(text) > limits.texts:
        raise RequestRefused(413, f"{len(text)} texts in one request; at most {limits.texts} are allowed")
    return [_checked(f"text {index}", item) for index, item in enumerate(text)]


def parse_explained(body: bytes) -> tuple[str, MethodChoice]:
    """Return the values of `text` and `method` in a JSON object: a text, and how it is to be explained.

    Raises:
        RequestRefused: they are not that.
    """
    contents = _parsed(body)
    text, method = contents.get("text"), contents.get("method", "auto")
    if isinstance(text, list):
        raise RequestRefused(422, "text must be one string here")
    try:
        check_choice("method", method, METHOD_CHOICES)
    except OptionError as error:
        raise RequestRefused(422, str(error).replace("`", "")) from None
    return _checked("text", text), method


def _parsed(body: bytes) -> dict[str, Any]:
    """Return the object in a body; an empty one in the place of anything else that is JSON."""
    try:
        contents = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise RequestRefused(422, "the request is not UTF-8") from None
    except (ValueError, RecursionError):
        raise RequestRefused(422, 'the request is not JSON; send {"text": "..."}') from None
    return contents if isinstance(contents, dict) else {}


def _checked(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise RequestRefused(422, f'{name} must be a string; send {{"text": "..."}} or {{"text": ["...", "..."]}}')
    if not text.strip():
        raise RequestRefused(422, f"{name} is empty")
    return text
