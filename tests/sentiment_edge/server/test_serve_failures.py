"""The server where a text cannot be answered: only that text's answer says so."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.running_server import Running
from helpers.support import put_file

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("uvicorn", reason="needs the extra serve")

if TYPE_CHECKING:
    from collections.abc import Iterator

REASON = "the tokenizer failed on this text (Onig: Regex search error: retry-limit-in-match over)"
FAILURE: dict[str, Any] = {"sentiment": None, "score": None, "scores": {}, "truncated": False, "error": REASON}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp("served") / "bundle"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    put_file(folder, "tokenizer.json", json.dumps(tokenizer | {"normalizer": CATASTROPHIC}).encode())
    running = Running(str(folder))
    yield running
    assert running.stop() == ""  # no line of Rust's either
    assert running.process.returncode == 0


def test_of_several_texts_one_has_no_answer(server: Running) -> None:
    answer = server.predict(["I loved it.", UNLUCKY, "Dreadful."])
    assert answer.status == 200
    first, failed, last = answer.contents["predictions"]
    assert failed == FAILURE
    assert [first, last] == [server.predict(text).contents for text in ("I loved it.", "Dreadful.")]


def test_a_request_of_that_text_alone_is_refused(server: Running) -> None:
    for path in ("/predict", "/explain"):
        answer = server.ask("POST", path, json.dumps({"text": UNLUCKY}).encode())
        assert (answer.status, answer.contents) == (422, {"error": REASON})


def test_requests_beside_it_are_answered(server: Running) -> None:
    texts = [UNLUCKY if number % 5 == 0 else f"a fine film {number}" for number in range(60)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(server.predict, texts))
    assert [answer.status for answer in answers] == [422 if text == UNLUCKY else 200 for text in texts]


def test_its_description_has_the_failure(server: Running) -> None:
    schemas = server.ask("GET", "/openapi.json").contents["components"]["schemas"]
    assert {*schemas["Failure"]["properties"]} == {*FAILURE}
    assert schemas["Predictions"]["properties"]["predictions"]["items"]["oneOf"][1] == {"$ref": "#/components/schemas/Failure"}
