"""Metrics, read by Prometheus' own parser: they agree with what was asked."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest
from helpers.raw_http import LONG, connect
from helpers.running_server import Running
from helpers.waiting import eventually

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")
pytest.importorskip("prometheus_client", reason="needs the extra serve")

from prometheus_client import parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

from sentiment_edge.server.metrics import ROUTES, Metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.metrics_core import Metric

OTHERS = (("GET", "/healthz"), ("GET", "/"), ("HEAD", "/"), ("GET", "/nope"), ("PUT", "/a/b"), ("GET", "/predict"))
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(families: Iterable[Metric]) -> Samples:
    return {
        (sample.name.removeprefix("sentiment_edge_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def scrape(server: Running) -> Samples:
    answer = server.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(parser.text_string_to_metric_families(answer.contents))


def value(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0)


def requests(found: Samples) -> dict[tuple[str, str, str], float]:
    """Return the counts by route, method and status, without those of looking at the counts."""
    labelled = {key[1]: count for key, count in found.items() if key[0] == "requests_total"}
    named = {
        (dict(labels)["route"], dict(labels)["method"], dict(labels)["status"]): count for labels, count in labelled.items()
    }
    return {labels: count for labels, count in named.items() if labels[0] != "/metrics"}


@pytest.fixture
def server() -> Iterator[Running]:
    running = Running("--max-queue", "50", "--max-texts", "60", "--root-path", "/ml")
    yield running
    assert running.stop() == ""
    assert running.process.returncode == 0


def test_counts_agree_with_what_was_asked(server: Running) -> None:
    before = scrape(server)
    assert requests(before) == {}
    assert value(before, "texts_total") == value(before, "batch_texts_count") == 0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(server.predict, [f"film {number}" for number in range(30)]))
    server.predict(["a", "b", "c"])
    server.predict([])
    server.ask("POST", "/ml/explain", b'{"text": "good film"}')
    server.predict("")
    server.predict(["a"] * 61)
    for method, path in (
        ("GET", "/healthz"),
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/nope"),
        ("PUT", "/a/b"),
        ("GET", "/predict"),
    ):
        connection = HTTPConnection("127.0.0.1", server.port, timeout=LONG)
        connection.request(method, path)
        connection.getresponse().read()
        connection.close()
    found = scrape(server)
    assert requests(found) == {
        ("/predict", "POST", "200"): 32,
        ("/predict", "POST", "422"): 1,
        ("/predict", "POST", "413"): 1,
        ("/predict", "GET", "405"): 1,
        ("/explain", "POST", "200"): 1,
        ("/healthz", "GET", "200"): 1,
        ("/", "GET", "200"): 1,
        ("/", "HEAD", "200"): 1,
        ("other", "GET", "404"): 1,
        ("other", "other", "404"): 1,
    }
    assert value(found, "texts_total") == 34
    assert value(found, "batch_texts_sum") == 33
    assert 2 <= value(found, "batch_texts_count") <= 31
    assert value(found, "texts_waiting") == 0
    assert value(found, "log_lines_dropped_total") == 0


def test_histograms_are_of_their_form(server: Running) -> None:
    for _ in range(5):
        server.predict(["a", "b"])
    found = scrape(server)
    labelled = [(name, dict(labels), count) for (name, labels), count in found.items() if name.endswith("bucket")]
    times = {labels["le"]: count for name, labels, count in labelled if labels.get("route") == "/predict"}
    assert [*times.values()] == sorted(times.values())
    assert times["+Inf"] == value(found, "request_seconds_count", route="/predict") == 5
    assert value(found, "request_seconds_sum", route="/predict") > 0
    sizes = {labels["le"]: count for name, labels, count in labelled if name == "batch_texts_bucket"}
    assert (sizes["1.0"], sizes["2.0"], sizes["+Inf"]) == (0, 5, 5)
    assert value(found, "request_seconds_count", route="/explain") == 0
    assert ("request_seconds_count", (("route", "/explain"),)) in found
    assert ("request_seconds_count", (("route", "/readyz"),)) not in found


def test_what_never_became_a_request(server: Running) -> None:
    with connect(server.port) as client:
        client.sendall(b"no HTTP\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 400"
    eventually(lambda: requests(scrape(server)).get(("none", "none", "400")) == 1)


def test_connections_and_texts_that_wait(server: Running) -> None:
    clients = [connect(server.port) for _ in range(5)]
    eventually(lambda: value(scrape(server), "connections") >= 5)
    for client in clients:
        client.close()
    eventually(lambda: value(scrape(server), "connections") <= 1)


def test_the_bundle_and_the_memory(server: Running) -> None:
    found = scrape(server)
    (about,) = [dict(labels) for name, labels in found if name == "bundle_info"]
    assert {*about} == {"bundle", "family", "precision", "engine", "version"}
    assert about["bundle"] == "gru-mini-int8"
    if sys.platform == "linux":
        assert value(found, "process_resident_memory_bytes", process="0") > 10e6


def test_openmetrics_where_it_is_wanted(server: Running) -> None:
    server.predict("good")
    connection = HTTPConnection("127.0.0.1", server.port, timeout=LONG)
    connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"})
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    found = samples(read_openmetrics(response.read().decode()))  # type: ignore[no-untyped-call]
    connection.close()
    assert value(found, "requests_total", route="/predict", method="POST", status="200") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_any_process_tells_the_sum_of_all() -> None:
    server = Running("--workers", "2")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(server.predict, [f"film {number}" for number in range(100)]))
    for _ in range(10):
        found = scrape(server)
        assert requests(found) == {("/predict", "POST", "200"): 100}
        assert value(found, "texts_total") == value(found, "batch_texts_sum") == 100
        if sys.platform == "linux":
            memory = {dict(labels)["process"] for name, labels in found if name == "process_resident_memory_bytes"}
            assert memory == {"0", "1", "parent"}
    assert server.stop() == ""
    assert server.process.returncode == 0


def test_rows_of_several_processes() -> None:
    metrics = Metrics(3)
    for worker in (1, 2, 0):
        metrics.worker = worker
        for route in ROUTES * (worker > 0):
            metrics.count_request(route, "GET", 200, 0.5 * worker, 7)
        metrics.set_waiting(3 * (worker > 0))
    metrics.count_request("/predict", "BREW", 999, None, 0)
    found = samples(metrics.collect())
    for route in ROUTES:
        assert value(found, "requests_total", route=route, method="GET", status="200") == 2
        assert value(found, "request_seconds_sum", route=route) == 1.5
    assert value(found, "requests_total", route="/predict", method="other", status="500") == 1
    assert value(found, "texts_total") == 7 * 2 * len(ROUTES)
    assert value(found, "texts_waiting") == 6
    metrics.worker = 1  # a process that is started again: what it had counted stays, what it had open is gone
    found = samples(metrics.collect())
    assert (value(found, "texts_waiting"), value(found, "texts_total")) == (3, 7 * 2 * len(ROUTES))


def test_a_page_of_metrics_is_small(server: Running) -> None:
    for number in range(50):
        server.ask("GET", f"/made-up/{number}")
        server.ask("POST", "/predict", json.dumps({"text": f"\N{SNOWMAN}\n{number}"}).encode())
    text = server.ask("GET", "/metrics").contents
    assert len(text) < 10_000
    assert "made-up" not in text
