"""Explanations over HTTP: of any model, in turns with predictions, within the limits."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.running_server import Running
from helpers.word_bundle import put_words

from sentiment_edge import load
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.explanation import MOST_RUNS

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")

from sentiment_edge.server.batcher import Batcher
from sentiment_edge.server.limits import Limits, RequestRefused
from sentiment_edge.server.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from sentiment_edge import Classifier

WORDS = {"good": 1.5, "bad": -2.0, "film": 0.25, "not": -0.75, "a": 0.0}
LONG = "good film not bad " * 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp("words") / "bundle"))
    return put_words(copied, WORDS, max_length=2048, lengths=[8, 2048])


@pytest.fixture(scope="module")
def by_word(folder: Path) -> Classifier:
    return load(folder, threads=1)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    running = Running(str(folder))
    yield running
    assert running.stop() == ""
    assert running.process.returncode == 0


def ask(server: Running, **body: Any) -> tuple[int, Any]:
    answer = server.ask("POST", "/explain", json.dumps(body).encode())
    return answer.status, answer.contents


@pytest.mark.parametrize("text", ["not a good film", LONG, "\N{GRINNING FACE} \ud800 unheard"])
def test_a_model_without_attention_explains_by_word(server: Running, by_word: Classifier, text: str) -> None:
    status, found = ask(server, text=text)
    expected = by_word.explain(text)
    assert status == 200
    assert [*found] == ["sentiment", "score", "scores", "truncated", "method", "runs", "tokens"]
    assert (found["sentiment"], found["method"], found["runs"]) == (expected.prediction.label, "occlusion", expected.runs)
    assert found["runs"] <= MOST_RUNS
    assert [token["weight"] for token in found["tokens"]] == pytest.approx([word.weight for word in expected.tokens], abs=1e-9)
    assert ask(server, text=text, method="occlusion") == ask(server, text=text, method="auto") == (200, found)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"text": "good", "method": "attention"}, 'a gru-attention model has no attention to show; send "method": "occlusion"'),
        *(({"text": text}, 'text must be a string; send {"text": "..."}') for text in (["good"], 5, None)),
        ({"text": " "}, "text is empty"),
        ({"method": "occlusion"}, 'text must be a string; send {"text": "..."}'),
    ],
)
def test_what_it_does_not_understand(server: Running, body: dict[str, Any], reason: str) -> None:
    status, found = ask(server, **body)
    assert (status, found["error"]) == (422, reason)


@pytest.mark.parametrize("method", ["gradient", ["auto"], [None], True, {}, 5])
def test_a_method_that_there_is_not(server: Running, method: object) -> None:
    assert ask(server, text="good", method=method) == (422, {"error": "method must be one of auto, attention, occlusion"})


def test_no_method_and_null_are_auto(server: Running) -> None:
    assert ask(server, text="good", method=None) == ask(server, text="good") == ask(server, text="good", method="auto")


def test_the_advice_fits_the_route(server: Running) -> None:
    answer = server.ask("POST", "/predict", b'{"text": 5}')
    assert answer.contents == {"error": 'text must be a string; send {"text": "..."} or {"text": ["...", "..."]}'}


def test_it_says_so(server: Running) -> None:
    assert server.ask("GET", "/healthz").contents["attention"] is False
    described = server.ask("GET", "/openapi.json").contents
    asked = described["paths"]["/explain"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert asked["properties"]["method"]["enum"] == ["auto", "attention", "occlusion", None]
    explanation = described["components"]["schemas"]["Explanation"]
    assert explanation["required"] == [*ask(server, text="good")[1]]
    assert "const attention = false;" in server.ask("GET", "/").contents


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_explanations_take_turns_with_predictions(by_word: Classifier) -> None:
    async def ask_all() -> None:
        batcher = Batcher(by_word, Limits(together=1), Metrics())
        ended: list[str] = []

        async def note(name: str, answer: Coroutine[Any, Any, object]) -> None:
            await answer
            ended.append(name)

        explanations = [note("explanation", batcher.explain(LONG, "occlusion", MOST_RUNS)) for _ in range(4)]
        predictions = [note("prediction", batcher.predict(["good"])) for _ in range(4)]
        tasks = [asyncio.create_task(each) for each in (*explanations, *predictions)]
        await asyncio.sleep(0)  # all of them wait
        running = asyncio.create_task(batcher.run())
        await asyncio.gather(*tasks)
        assert ended == ["prediction", "explanation"] * 4
        running.cancel()
        batcher.close()

    run(ask_all())


def test_an_explanation_counts_as_the_texts_that_it_runs(by_word: Classifier) -> None:
    async def ask_too_much() -> None:
        batcher = Batcher(by_word, Limits(queue=100), Metrics())
        waiting = asyncio.create_task(batcher.explain(LONG, "occlusion", 90))
        await asyncio.sleep(0)
        with pytest.raises(RequestRefused, match="90 texts are waiting already"):
            await batcher.explain(LONG, "occlusion", 90)
        with pytest.raises(RequestRefused, match="90 texts are waiting already"):
            await batcher.predict(["good"] * 11)
        running = asyncio.create_task(batcher.run())
        assert await waiting == by_word.explain(LONG)
        assert (await batcher.explain("good", "auto", 90)).runs == 2
        running.cancel()
        batcher.close()

    run(ask_too_much())


def test_a_stop_refuses_explanations_that_wait(by_word: Classifier) -> None:
    async def stop() -> None:
        batcher = Batcher(by_word, Limits(), Metrics())
        waiting = asyncio.create_task(batcher.explain("good", "auto", 2))
        await asyncio.sleep(0)
        batcher.close()
        with pytest.raises(RequestRefused, match="the server is stopping"):
            await waiting
        with pytest.raises(RequestRefused, match="the server is stopping"):
            await batcher.explain("good", "auto", 2)

    run(stop())
