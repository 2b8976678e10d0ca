"""`predict` with batches beside each other, some of which fail: no line is lost or doubled, whatever is interrupted."""

from __future__ import annotations

import json
import shutil
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.invocation import invoke
from helpers.support import put_file
from helpers.threaded_bundle import as_encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_edge import EngineError
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.engines.sessions import Sessions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.engines.engine import Outputs, Session

UNKNOWN = "zzz"
"""A word that the tokenizer has and the model has not: the engine fails on its batch."""
LINES = st.lists(st.sampled_from(["fine", "a film", f"a {UNKNOWN} film", "", "dreadful " * 30, UNKNOWN]), max_size=80)


@pytest.fixture(scope="module", params=["recurrent", "encoder"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp("bulk") / "bundle"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["vocab"][UNKNOWN] = 2**31
    put_file(folder, "tokenizer.json", json.dumps(tokenizer).encode())
    return as_encoder(folder) if request.param == "encoder" else folder


@given(lines=LINES, threads=st.sampled_from(["1", "2", "5"]))
@settings(max_examples=20)
def test_each_line_comes_out_once_in_its_place(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory, lines: list[str], threads: str
) -> None:
    lines = ["fine", *(f"{number} {line}" if line else "" for number, line in enumerate(lines))]
    target = tmp_path_factory.mktemp("labelled") / "labelled.jsonl"
    program = ["predict", str(bundle), "--threads", threads, "--engine", "onnxruntime", "--output", str(target)]
    done = invoke(*program, stdin="\n".join([*lines, ""]).encode())
    records = [json.loads(record) for record in target.read_text("utf-8").splitlines()]
    assert [record["text"] for record in records] == lines
    assert [record["label"] is None for record in records] == [UNKNOWN in line or not line for line in lines]
    failed = sum(UNKNOWN in line for line in lines)
    assert done.returncode == (1 if failed else 0)
    assert len(done.stderr.splitlines()) == (1 if failed else 0), done.stderr


@pytest.mark.parametrize("at", [0, 3, 80, 120])
def test_a_run_that_breaks_goes_on_where_it_stopped(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    source, whole, broken = tmp_path / "lines.txt", tmp_path / "whole.tsv", tmp_path / "broken.tsv"
    source.write_text("".join(f"{number} {'film ' * (number % 7)}fine\n" for number in range(2500)), "utf-8")
    program = ["predict", str(bundle), "--threads", "3", "--engine", "onnxruntime", "--input", str(source), "--output"]
    assert invoke(*program, str(whole)).returncode == 0
    sharing, calls = Sessions.sharing, count()

    def breaking(self: Sessions, texts: int) -> tuple[Session, int]:
        session, at_once = sharing(self, texts)

        def run(input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
            if next(calls) >= at:
                raise EngineError("the machine has given up")
            return session(input_ids, attention_mask)

        return run, at_once

    with monkeypatch.context() as patch:
        patch.setattr(Sessions, "sharing", breaking)
        done = invoke(*program, str(broken))
    assert done.returncode == 1
    errors = done.stderr.decode().splitlines()
    assert errors[-1] == "sentiment-edge: the machine has given up"
    assert not broken.exists()
    assert invoke(*program, str(broken), "--resume").returncode == 0
    assert broken.read_bytes() == whole.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"lines.txt", "whole.tsv", "broken.tsv"}
