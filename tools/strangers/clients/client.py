"""Ask by Python's libraries, over new connections and kept ones: python client.py URL BODY."""

from __future__ import annotations

import gzip
import json
import sys
from http.client import HTTPConnection
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

Said = tuple[str, int, str | bytes]
JSON = {"Content-Type": "application/json"}
PACKED = {**JSON, "Content-Encoding": "gzip"}


def standard(url: str, body: bytes) -> Iterator[Said]:
    """Ask by the standard library."""
    with urlopen(Request(url, body, JSON)) as answer:  # noqa: S310 - the server that is tried
        yield "urllib", answer.status, answer.read()
    with urlopen(Request(url, body)) as answer:  # noqa: S310 - its type is that of a form
        yield "urllib without a type", answer.status, answer.read()
    connection = HTTPConnection(urlsplit(url).netloc)
    for form, content in (("kept", body), ("kept again", body), ("in chunks", iter([body[:5], body[5:]]))):
        connection.request("POST", "/predict", content, JSON)
        kept = connection.getresponse()
        yield f"http.client, {form}", kept.status, kept.read()
    connection.close()


def urllib3(url: str, body: bytes) -> Iterator[Said]:
    """Ask by urllib3."""
    pool = import_module("urllib3").PoolManager()
    for form, content, headers in (("", body, JSON), (" gzip", gzip.compress(body), PACKED), (" form", body, {})):
        answer = pool.request("POST", url, body=content, headers=headers)
        yield f"urllib3{form}", answer.status, answer.data


def requests(url: str, body: bytes) -> Iterator[Said]:
    """Ask by requests."""
    session = import_module("requests").Session()
    answers = {
        "json": session.post(url, json=json.loads(body)),
        "data": session.post(url, data=body),
        "text": session.post(url, data=body.decode()),
        "gzip": session.post(url, data=gzip.compress(body), headers=PACKED),
        "in chunks": session.post(url, data=iter([body[:5], body[5:]]), headers=JSON),
    }
    for form, answer in answers.items():
        yield f"requests {form}", answer.status_code, answer.content


def httpx(url: str, body: bytes) -> Iterator[Said]:
    """Ask by httpx."""
    with import_module("httpx").Client() as client:
        for form, options in (
            ("json", {"json": json.loads(body)}),
            ("content", {"content": body}),
            ("gzip", {"content": gzip.compress(body), "headers": PACKED}),
            ("in chunks", {"content": iter([body[:5], body[5:]]), "headers": JSON}),
        ):
            answer = client.post(url, **options)
            yield f"httpx {form}", answer.status_code, answer.content


def main() -> None:
    """Print the answers."""
    url, body = f"{sys.argv[1]}/predict", sys.argv[2].encode()
    for ask in (standard, urllib3, requests, httpx):
        for form, status, answer in ask(url, body):
            print(json.dumps({"form": f"python {form}", "status": status, "answer": json.loads(answer)}))


if __name__ == "__main__":
    main()
