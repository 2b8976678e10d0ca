"""Reading and checking the body of a request, and the form of an answer."""

from __future__ import annotations

import asyncio
import json
import zlib
from email.message import Message
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response

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
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
"""The type that curl declares by itself."""
_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}
_ADVICE = f"send JSON in UTF-8, with Content-Type: {_JSON}"
_LONGEST_TYPE = 256
"""Characters of a type that is looked at: reading a longer one takes long."""
_GZIP_WINDOW = 31
"""zlib's number for gzip's own header and checksum."""


def as_json(contents: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer in JSON."""
    body = json.dumps(contents, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
    return Response(body, status, headers, _JSON)


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return the body, unpacked, read no further than the limits allow.

    Raises:
        RequestRefused: it is too large, arrives too slowly, is damaged, or is of a kind that is not understood.
    """
    body = await _received(request, limits)
    fault = _fault_of_type(request.headers.get("content-type", _JSON))
    if fault is not None:
        raise RequestRefused(415, fault)
    coding = request.headers.get("content-encoding")
    return body if coding is None else _decoded(body, coding.strip().lower(), limits)


async def _received(request: Request, limits: Limits) -> bytes:
    most = limits.body + _READ_OUT
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(limits)
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
        raise _too_large(limits)
    return bytes(body)


def _too_large(limits: Limits) -> RequestRefused:
    return RequestRefused(413, f"the request is larger than {limits.body} bytes")


@lru_cache(maxsize=64)
def _fault_of_type(declared: str) -> str | None:
    """Return the reason against a body that is declared to be neither JSON nor what curl says of any body."""
    if len(declared) > _LONGEST_TYPE:
        return f"a request with a type of {len(declared)} characters is not understood; {_ADVICE}"
    message = Message()
    message["content-type"] = declared
    kind = message.get_content_type() if "/" in declared else declared
    if kind not in {_JSON, _FORM, ""} and not (kind.startswith("application/") and kind.endswith("+json")):
        return f"a request of type {kind[:100]} is not understood; {_ADVICE}"
    charset = message.get_content_charset() or "utf-8"
    return None if charset in _CHARSETS else f"a request in {charset[:100]} is not understood; {_ADVICE}"


def _decoded(body: bytes, coding: str, limits: Limits) -> bytes:
    """Return a body without its content coding, unpacked no further than the limits allow."""
    if coding in {"", "identity"}:
        return body
    if coding not in {"gzip", "x-gzip"}:
        reason = f"the content coding {coding[:100]} is not understood; send gzip, or the text as it is"
        raise RequestRefused(415, reason, {"Accept-Encoding": "gzip"})
    unpacking = zlib.decompressobj(_GZIP_WINDOW)
    try:
        unpacked = unpacking.decompress(body, limits.body + 1)
    except zlib.error:
        raise RequestRefused(422, "the request is declared to be gzip, but is not, or is damaged") from None
    if len(unpacked) > limits.body:
        raise _too_large(limits)
    if not unpacking.eof:
        raise RequestRefused(422, "the request's gzip data breaks off")
    if unpacking.unused_data:
        raise RequestRefused(422, "something follows the request's gzip data; send one stream of gzip")
    return unpacked


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
        contents = json.loads(body.decode("utf-8-sig"))  # Windows programs begin with a mark
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
