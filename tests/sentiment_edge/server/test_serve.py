"""The server, a real one on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import pytest
from helpers.running_server import Running, starting
from helpers.support import Command

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")

from sentiment_edge.server.batcher import Batcher
from sentiment_edge.server.limits import Limits
from sentiment_edge.server.metrics import Metrics
from sentiment_edge_runtimes.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction
    from sentiment_edge_runtimes.vocabulary import OnError


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    running = Running()
    yield running
    assert running.stop() == ""
    assert running.process.returncode == 0


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    with starting() as start_one:
        yield start_one


def test_it_says_where_it_listens(server: Running) -> None:
    assert server.started == f"serving gru-mini-int8 on http://127.0.0.1:{server.port}\n"


def test_a_text_is_answered_as_on_the_model_s_card(server: Running, classifier: Classifier) -> None:
    expected = classifier("I loved it.")
    answer = server.predict("I loved it.")
    assert answer.status == 200
    assert answer.contents == {
        "sentiment": expected.label,
        "score": pytest.approx(expected.score, abs=1e-6),
        "scores": pytest.approx(expected.scores, abs=1e-6),
        "truncated": False,
    }


def test_several_texts_are_answered_in_order(server: Running, classifier: Classifier) -> None:
    texts = ["I loved it.", "Dreadful.", "long " * 400, "\N{SNOWMAN} \ud800", "fine"]
    predictions = server.predict(texts).contents["predictions"]
    assert [prediction["sentiment"] for prediction in predictions] == [row.label for row in classifier(texts)]
    assert [prediction["truncated"] for prediction in predictions] == [False, False, True, False, False]
    assert server.predict([]).contents == {"predictions": []}


def test_requests_at_once_get_what_each_gets_alone(server: Running, classifier: Classifier) -> None:
    texts = [f"{'not ' * (number % 7)}a {'good' if number % 3 else 'bad'} film {number}" for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.predict, texts))
    for text, answer in zip(texts, answers, strict=True):
        alone = classifier(text)
        assert (answer.status, answer.contents["sentiment"]) == (200, alone.label)
        assert answer.contents["scores"] == pytest.approx(alone.scores, abs=1e-5)


def test_attention(server: Running, classifier: Classifier) -> None:
    expected = classifier.explain("I loved it.")
    tokens = server.ask("POST", "/explain", b'{"text": "I loved it."}').contents["tokens"]
    assert [token["token"] for token in tokens] == [token.token for token in expected.tokens]
    assert [token["weight"] for token in tokens] == pytest.approx([token.weight for token in expected.tokens], abs=1e-6)
    assert server.ask("POST", "/explain", b'{"text": ["a", "b"]}').status == 422
    by_word = classifier.explain("I loved it.", "occlusion")
    answer = server.ask("POST", "/explain", b'{"text": "I loved it.", "method": "occlusion"}').contents
    assert (answer["method"], answer["runs"]) == ("occlusion", 5)
    assert [token["weight"] for token in answer["tokens"]] == pytest.approx([word.weight for word in by_word.tokens], abs=1e-6)


def test_what_else_it_answers(server: Running) -> None:
    health = server.ask("GET", "/healthz").contents
    assert (health["status"], health["labels"], health["attention"]) == ("ok", ["negative", "positive"], True)
    assert "/explain" in server.ask("GET", "/openapi.json").contents["paths"]
    page = server.ask("GET", "/")
    assert "<textarea" in page.contents
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 422, "not JSON"),
        (b"not json", 422, "not JSON"),
        (b'{"text": "\xff"}', 422, "not UTF-8"),
        (b"[" * 100_000, 422, "not JSON"),
        (b"{}", 422, "text must be a string"),
        (b'"text"', 422, "text must be a string"),
        (b'{"text": 3}', 422, "text must be a string"),
        (b'{"text": null}', 422, "text must be a string"),
        (b'{"text": ""}', 422, "text is empty"),
        (b'{"text": " \\n "}', 422, "text is empty"),
        (b'{"text": ["good", ""]}', 422, "text 1 is empty"),
        (b'{"text": ["good", ["bad"]]}', 422, "text 1 must be a string"),
        (json.dumps({"text": ["a"] * 1025}).encode(), 413, "at most 1024"),
        (b'{"text": "' + b"a" * 2**20 + b'"}', 413, "larger than 1048576 bytes"),
    ],
)
def test_what_it_does_not_understand(server: Running, body: bytes, status: int, reason: str) -> None:
    answer = server.ask("POST", "/predict", body)
    assert answer.status == status
    assert reason in answer.contents["error"]
    assert server.predict("still there").status == 200


def test_ten_megabytes_of_text(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b"a" * 2**20 + b"\r\n"
        try:
            for _ in range(10):
                client.sendall(chunk)
        except OSError:  # it may close before the rest is sent
            pass
        else:
            assert client.recv(12) == b"HTTP/1.1 413"
    assert server.predict("still there").status == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/predict", 405), ("POST", "/", 405), ("GET", "/nope", 404)])
def test_wrong_paths_and_methods(server: Running, method: str, path: str, status: int) -> None:
    answer = server.ask(method, path)
    assert (answer.status, list(answer.contents)) == (status, ["error"])


def test_clients_that_go_away(server: Running) -> None:
    for sent in (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", b"POST /pre", b""):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
                client.sendall(sent)
    assert server.predict("still there").status == 200


def test_a_slow_client_is_told_so(start: Callable[..., Running]) -> None:
    server = start("--timeout", "0.5")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert client.recv(12) == b"HTTP/1.1 408"
    assert server.predict("still there").status == 200


def test_a_full_queue_is_said(start: Callable[..., Running]) -> None:
    server = start("--max-queue", "100", "--max-texts", "100", "--threads", "1")
    texts = [f"a film {number} " * 40 for number in range(100)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(server.predict, [texts] * 24))
    statuses = {answer.status for answer in answers}
    assert statuses == {200, 429}
    refused = next(answer for answer in answers if answer.status == 429)
    assert "texts are waiting already" in refused.contents["error"]
    assert refused.headers["retry-after"] == "1"


def test_out_of_time_is_said(start: Callable[..., Running]) -> None:
    server = start("--timeout", "0.1", "--threads", "1", "--max-texts", "5000")
    answer = server.predict([f"a film {number} " * 20 for number in range(3000)])
    assert (answer.status, "no answer within 0.1 seconds" in answer.contents["error"]) == (503, True)


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_lets_requests_end(start: Callable[..., Running], number: int) -> None:
    server = start("--threads", "1")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.predict, [f"a film {number} " * 40 for number in range(1000)])
        time.sleep(0.3)
        assert server.stop(number) == ""
        answer = asked.result()
    assert (answer.status, len(answer.contents["predictions"])) == (200, 1000)
    assert server.process.returncode == 0


def test_an_address_that_cannot_be_listened_on(server: Running, command: Command) -> None:
    done = command("serve", "--port", str(server.port))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"sentiment-edge: cannot listen on 127.0.0.1, port {server.port}: ")
    assert done.stderr.count(b"\n") == 1
    for host in ("host.invalid", "a..b", "a" * 100):
        done = command("serve", "--host", host)
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)


@pytest.mark.parametrize(
    ("option", "value"), [("--timeout", "nan"), ("--timeout", "inf"), ("--window", "nan"), ("--port", "70000")]
)
def test_options_out_of_range(command: Command, option: str, value: str) -> None:
    done = command("serve", option, value)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


class _Breaking:
    """A classifier that a panic in a library written in Rust reaches, once."""

    def __init__(self, classifier: Classifier) -> None:
        self.bundle = classifier.bundle
        self._classifier = classifier
        self._whole = False

    def __call__(self, texts: list[str], *, on_error: OnError) -> list[Prediction | FailedPrediction]:
        if self._whole:
            return self._classifier(texts, on_error=on_error)
        self._whole = True
        raise GeneratorExit("panic")


def test_what_is_no_exception_does_not_end_the_server(classifier: Classifier) -> None:
    async def ask() -> None:
        batcher = Batcher(cast("Classifier", _Breaking(classifier)), Limits(), Metrics())
        running = asyncio.create_task(batcher.run())
        with pytest.raises(EngineError, match="the classifier failed"):
            await batcher.predict(["good"])
        assert await batcher.predict(["good"]) == classifier(["good"])
        running.cancel()
        batcher.close()

    asyncio.run(ask())
