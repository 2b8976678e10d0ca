"""Names that the server answers to, pages that may use it, and the prefix of a proxy."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from helpers.raw_http import BODY, LONG, connect, read_all
from helpers.running_server import Running
from typer.testing import CliRunner

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")

from sentiment_edge.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "https://app.example.com"


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    contents: Any


@contextmanager
def running(*options: str) -> Iterator[Running]:
    server = Running(*options)
    yield server
    assert server.stop() == ""
    assert server.process.returncode == 0


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def opened() -> Iterator[Running]:
    """A server that is reached by a name, used by a page, behind a proxy."""
    options = ["--allow-host", "Sentiment.example.com", "--allow-host", "192.0.2.7", "--cors-origin", f"{PAGE}:443/"]
    with running(*options, "--cors-origin", "http://localhost:3000", "--root-path", "/ml/sentiment/") as started:
        yield started


def said(connected: socket.socket, request: str) -> Said:
    """Return the answer to a request, given by its lines without those of the body."""
    with connected:
        connected.sendall(request.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + BODY * request.startswith("POST"))
        answer = read_all(connected)
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Said(
        int(first.split()[1]), headers, json.loads(body) if "json" in headers.get("content-type", "") else body.decode()
    )


def ask(server: Running, first: str, *headers: str) -> Said:
    length = [f"Content-Length: {len(BODY)}"] if first.startswith("POST") else []
    connected = connect(server.port)
    return said(connected, "\n".join([f"{first} HTTP/1.1", *headers, *length, "Connection: close"]))


OWN = ("localhost", "LocalHost:1", "localhost.", "localhost:", "127.0.0.1", "127.0.0.1:8000", "127.1.2.3:9")


@pytest.mark.parametrize("host", [*OWN, "[::1]", "[::1]:8000", "[::ffff:127.0.0.1]"])
def test_its_own_names(server: Running, opened: Running, host: str) -> None:
    assert ask(server, "POST /predict", f"Host: {host}").status == 200
    assert ask(opened, "GET /healthz", f"Host: {host}").status == 200


FOREIGN = ("evil.example", "localhost.evil.example", "10.0.0.1", "0x7f.1", "127.0.0.1.nip.io", "[2001:db8::1]")


@pytest.mark.parametrize(
    ("host", "name"),
    [*((name, name) for name in FOREIGN), *((f"{name}:8000", name) for name in FOREIGN), ("a" * 1000, "a" * 100)],
)
def test_a_foreign_host_is_refused(server: Running, host: str, name: str) -> None:
    for first in ("POST /predict", "GET /", "GET /nope", "OPTIONS /predict", "GET /metrics"):
        answer = ask(server, first, f"Host: {host}")
        reason = f"this server does not answer for the host {name!r}; start it with --allow-host {name}"
        assert (answer.status, answer.contents) == (403, {"error": reason})


@pytest.mark.parametrize("host", ["", ":8000"])
def test_an_empty_host_is_refused(server: Running, host: str) -> None:
    answer = ask(server, "GET /", f"Host: {host}")
    reason = "the request's Host header is empty, and this server answers for few hosts alone"
    assert (answer.status, answer.contents) == (403, {"error": reason})


@pytest.mark.parametrize("host", ["sentiment.example.com", "SENTIMENT.EXAMPLE.COM:8443", "192.0.2.7", "192.0.2.7:80"])
def test_allowed_hosts(server: Running, opened: Running, host: str) -> None:
    assert ask(opened, "POST /predict", f"Host: {host}").status == 200
    assert ask(server, "POST /predict", f"Host: {host}").status == 403


@pytest.mark.parametrize(
    "headers", [(), ("Host: localhost", "Host: localhost"), ("Host: a b",), ("Host: a/b",), ("Host: \xff",)]
)
def test_odd_hosts(server: Running, opened: Running, headers: tuple[str, ...]) -> None:
    for started in (server, opened):
        answer = ask(started, "GET /healthz", *headers)
        assert (answer.status, list(answer.contents)) == (400, ["error"])


def test_a_client_older_than_hosts(server: Running) -> None:
    for headers, status in (("", 200), ("Host: localhost\n", 200), ("Host: evil.example\n", 403)):
        connected = connect(server.port)
        assert said(connected, f"GET /healthz HTTP/1.0\n{headers}Accept: */*").status == status


@pytest.mark.parametrize(("options", "status"), [((), 200), (("--allow-host", "a.example"), 403), (("--allow-host", "*"), 200)])
def test_on_all_addresses_any_name_will_do_unless_some_are_given(options: tuple[str, ...], status: int) -> None:
    with running("--host", "0.0.0.0", *options) as started:  # noqa: S104
        assert ask(started, "GET /healthz", "Host: b.example").status == status
        assert ask(started, "GET /healthz", "Host: a.example").status == 200
        assert ask(started, "GET /healthz", "Host: 127.0.0.1").status == 200


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs sockets at paths")
@pytest.mark.parametrize(("options", "status"), [((), 200), (("--allow-host", "a.example"), 403)])
def test_at_a_path_any_name_will_do_unless_some_are_given(options: tuple[str, ...], status: int) -> None:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        path = Path(folder) / "s"
        program = [sys.executable, "-m", "sentiment_edge", "serve", "--uds", str(path), *options]
        with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == f"serving gru-mini-int8 on unix:{path}\n"
            for host, expected in (("b.example", status), ("a.example", 200)):
                connected = socket.socket(socket.AF_UNIX)
                connected.settimeout(LONG)
                connected.connect(str(path))
                assert said(connected, f"GET /healthz HTTP/1.1\nHost: {host}\nConnection: close").status == expected
            process.terminate()
            assert process.stderr.read() == ""
    assert process.returncode == 0


PREFLIGHT = ("Host: localhost", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
def test_a_page_that_may(opened: Running, origin: str) -> None:
    headers = (f"Origin: {origin}", "Sec-Fetch-Site: cross-site")
    asked = ask(opened, "OPTIONS /predict", *PREFLIGHT, *headers, "Access-Control-Request-Private-Network: true")
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (200, origin)
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "Content-Encoding" in asked.headers["access-control-allow-headers"]
    assert asked.headers["access-control-allow-private-network"] == "true"
    for first, host, status in (
        ("POST /predict", "localhost", 200),
        ("POST /nope", "localhost", 404),
        ("GET /predict", "localhost", 405),
        ("POST /predict", "evil.example", 403),
    ):
        answer = ask(opened, first, f"Host: {host}", *headers)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, origin)
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example.com", "https://app.example.com.evil", "null"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_page_that_may_not(server: Running, opened: Running, origin: str, kind: str) -> None:
    for started in (server, opened):
        asked = ask(started, "OPTIONS /predict", *PREFLIGHT, f"Origin: {origin}")
        assert (asked.status, list(asked.contents)) == (400 if started is opened else 405, ["error"])
        assert "access-control-allow-origin" not in asked.headers
        for site in ((), ("Sec-Fetch-Site: cross-site",), ("Sec-Fetch-Site: same-site",)):
            answer = ask(started, "POST /predict", "Host: localhost", f"Origin: {origin}", f"Content-Type: {kind}", *site)
            assert (answer.status, "--cors-origin" in answer.contents["error"]) == (403, True)
            assert "access-control-allow-origin" not in answer.headers


def test_a_header_that_may_not(opened: Running) -> None:
    asked = ask(opened, "OPTIONS /predict", *PREFLIGHT[:2], f"Origin: {PAGE}", "Access-Control-Request-Headers: x-odd")
    assert (asked.status, "headers" in asked.contents["error"]) == (400, True)


def test_its_own_page(server: Running) -> None:
    here = f"127.0.0.1:{server.port}"
    assert ask(server, "POST /explain", f"Host: {here}", f"Origin: http://{here}").status == 200
    # behind a proxy that changes the host, and perhaps the prefix
    rewritten = ("Host: 127.0.0.1", "Origin: https://sentiment.example.com", "Sec-Fetch-Site: same-origin")
    assert ask(server, "POST /explain", *rewritten).status == 200


def test_any_page() -> None:
    with running("--cors-origin", "*") as started:
        answer = ask(started, "POST /predict", "Host: localhost", "Origin: null", "Sec-Fetch-Site: cross-site")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")
        assert ask(started, "OPTIONS /predict", *PREFLIGHT, f"Origin: {PAGE}").headers["access-control-allow-origin"] == "*"


def test_a_prefix(opened: Running) -> None:
    for prefix in ("", "/ml/sentiment"):
        assert ask(opened, f"POST {prefix}/predict", "Host: localhost").status == 200
        assert "<textarea" in ask(opened, f"GET {prefix}/", "Host: localhost").contents
        assert ask(opened, f"GET {prefix}/nope", "Host: localhost").status == 404
        described = ask(opened, f"GET {prefix}/openapi.json", "Host: localhost").contents
        assert described["servers"] == [{"url": "/ml/sentiment"}]
    led = ask(opened, "GET /ml/sentiment", "Host: localhost")
    assert (led.status, led.headers["location"]) == (307, "/ml/sentiment/")
    for path in ("/ml", "/ml/sentimental/predict", "/ml/sentiment/ml/sentiment/predict", "//evil.example/ml/sentiment"):
        assert ask(opened, f"GET {path}", "Host: localhost").status == 404
    counted = ask(opened, "GET /metrics", "Host: localhost").contents
    assert 'sentiment_edge_requests_total{method="POST",route="/predict",status="200"}' in counted
    assert "/ml" not in counted


def test_an_ipv6_address() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this system has no IPv6")
    with running("--host", "::1") as started:
        for host, status in (("[::1]", 200), ("localhost", 200), ("evil.example", 403)):
            connection = HTTPConnection("::1", started.port, timeout=LONG)
            connection.request("GET", "/healthz", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()


NO_HOSTS = ("", "http://a.example", "a.example:80", "a b", "*.a.example", "a/b")
NO_ORIGINS = ("", "app.example.com", "https://a/b", "null", "https://", "a b")
NO_PREFIXES = ("sentiment", "/a b", "/a?b", "//a", "/a//b", "/\n", "/%41")


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        *(("--allow-host", value, "is no host") for value in NO_HOSTS),
        *(("--cors-origin", value, "is no origin") for value in NO_ORIGINS),
        *(("--root-path", value, "is no prefix") for value in NO_PREFIXES),
    ],
)
def test_options_that_are_refused(option: str, value: str, told: str) -> None:
    done = CliRunner().invoke(app, ["serve", option, value])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"sentiment-edge: {option}: ") and told in done.stderr


@pytest.mark.parametrize("other", [("--port", "8000"), ("--host", "127.0.0.1")])
def test_a_path_goes_without_an_address(other: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, ["serve", "--uds", "here", *other])
    assert done.exit_code == 2
    assert done.stderr == "sentiment-edge: --uds: it takes the place of --host and --port: leave them out\n"
