"""Bodies as clients send them: packed, with a mark, of one type or another."""

from __future__ import annotations

import gzip
import json
import zlib
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest
from helpers.raw_http import BODY, LONG
from helpers.running_server import Running

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 100_000
PACKED = gzip.compress(BODY)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    running = Running("--max-body", str(LIMIT))
    yield running
    assert running.stop() == ""
    assert running.process.returncode == 0


def post(server: Running, body: bytes, headers: dict[str, str], path: str = "/predict") -> tuple[int, Any, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=LONG)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read()), {name.lower(): value for name, value in response.headers.items()}
    finally:
        connection.close()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", " gzip ", "identity", ""])
def test_packed_bodies(server: Running, coding: str) -> None:
    expected = server.ask("POST", "/predict", BODY).contents
    body = PACKED if "gzip" in coding.lower() else BODY
    assert post(server, body, {"Content-Encoding": coding})[:2] == (200, expected)


def test_a_packed_explanation(server: Running) -> None:
    assert post(server, PACKED, {"Content-Encoding": "gzip"}, "/explain")[1]["tokens"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (BODY, 422, "declared to be gzip, but is not, or is damaged"),
        (b"", 422, "gzip data breaks off"),
        (PACKED[:-1], 422, "gzip data breaks off"),
        (PACKED[:12], 422, "gzip data breaks off"),
        (PACKED[:-5] + b"\0" + PACKED[-4:], 422, "is damaged"),
        (PACKED + PACKED, 422, "send one stream of gzip"),
        (PACKED + b"rest", 422, "send one stream of gzip"),
        (zlib.compress(BODY), 422, "is damaged"),
        (gzip.compress(b" " * 50_000_000), 413, f"larger than {LIMIT} bytes"),
        (gzip.compress(BODY + b" " * LIMIT), 413, f"larger than {LIMIT} bytes"),
        (gzip.compress(b"no json"), 422, "not JSON"),
    ],
)
def test_packed_bodies_that_are_refused(server: Running, body: bytes, status: int, reason: str) -> None:
    answer = post(server, body, {"Content-Encoding": "gzip"})
    assert answer[0] == status
    assert reason in answer[1]["error"]
    assert server.predict("still there").status == 200


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "gzip, br", "identity, gzip", "x" * 1000])
def test_other_codings_are_told_so(server: Running, coding: str) -> None:
    status, contents, headers = post(server, BODY, {"Content-Encoding": coding})
    assert (status, headers["accept-encoding"]) == (415, "gzip")
    assert f"the content coding {coding[:100]} is not understood" in contents["error"]


def test_a_packed_body_may_fill_the_limit(server: Running) -> None:
    body = gzip.compress(BODY + b" " * (LIMIT - len(BODY)))
    assert post(server, body, {"Content-Encoding": "gzip"})[0] == 200


def test_a_byte_order_mark(server: Running) -> None:
    assert post(server, b"\xef\xbb\xbf" + BODY, {})[0] == 200
    assert post(server, gzip.compress(b"\xef\xbb\xbf" + BODY), {"Content-Encoding": "gzip"})[0] == 200
    assert post(server, BODY.decode().encode("utf-16"), {})[0] == 422


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON; CharSet="UTF-8"',
        "application/json;charset=us-ascii; odd",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
    ],
)
def test_types_that_are_taken(server: Running, kind: str | None) -> None:
    assert post(server, BODY, {} if kind is None else {"Content-Type": kind})[0] == 200


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("text/plain", "text/plain"),
        ("text/plain;charset=UTF-8", "text/plain"),
        ("multipart/form-data; boundary=x", "multipart/form-data"),
        ("application/xml", "application/xml"),
        ("json", "json"),
        ("text/" + "x" * 200, "text/xxx"),
        ('application/json;"' + ";" * 30_000, "30018 characters"),
        ("\xff\"';,", ""),
        ("application/json; charset=iso-8859-1", "iso-8859-1"),
        ("application/json; charset=utf-16", "utf-16"),
        ("application/x-www-form-urlencoded; charset=" + "u" * 200, "uuu"),
        ("application/json; charset*=utf-16''x", ""),
    ],
)
def test_other_types_are_told_so(server: Running, kind: str, named: str) -> None:
    for _ in range(2):  # the second one is remembered
        status, contents, _ = post(server, BODY, {"Content-Type": kind})
        assert status == 415
        assert named in contents["error"] and "Content-Type: application/json" in contents["error"]
        assert len(contents["error"]) < 300


def test_a_form_is_not_json(server: Running) -> None:
    status, contents, _ = post(server, b"text=I+loved+it.", {"Content-Type": "application/x-www-form-urlencoded"})
    assert (status, contents["error"]) == (422, 'the request is not JSON; send {"text": "..."}')


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/openapi.json"])
def test_head_is_get_without_a_body(server: Running, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=LONG)
    try:
        connection.request("HEAD", path)
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"")
        assert int(response.headers["content-length"]) > 0
        connection.request("GET", path)  # on the same connection
        assert connection.getresponse().status == 200
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_told_so(server: Running, method: str) -> None:
    for path, allowed, taken in (("/predict", "POST", "POST"), ("/metrics", "GET, HEAD", "GET and HEAD")):
        answer = server.ask(method, path)
        refused = 405, allowed, {"error": f"{path} takes {taken} alone"}
        assert (answer.status, answer.headers["allow"], answer.contents) == refused


def test_what_is_refused_unread_leaves_no_rest(server: Running) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=LONG)
    try:
        for path, status in (("/nope", 404), ("/metrics", 405), ("/predict", 200)):
            connection.request("POST", path, BODY)  # connects again where the server closed
            response = connection.getresponse()
            assert (response.status, response.headers.get("connection")) == (status, "close" if status != 200 else None)
            response.read()
    finally:
        connection.close()


def test_the_description_names_every_route_and_refusal(server: Running) -> None:
    described = server.ask("GET", "/openapi.json").contents
    assert [*described["paths"]] == ["/predict", "/explain", "/healthz", "/readyz", "/metrics", "/openapi.json", "/"]
    assert described["servers"] == [{"url": "/"}]
    always = ["200", "400", "403", "408", "431", "500", "503"]
    for path, operations in described["paths"].items():
        (operation,) = operations.values()
        expected = always if "get" in operations else sorted([*always, "413", "415", "422", "429"])
        assert [*operation["responses"]] == expected, path
    health = server.ask("GET", "/healthz").contents
    assert [*health] == described["components"]["schemas"]["Health"]["required"]
    assert server.ask("GET", "/readyz").contents == {"status": "ready"}
