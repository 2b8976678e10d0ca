"""Whatever lies in the cache in the place of a choice of engine, a sound choice comes out. Without torch."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.openvino_bundle import add_openvino
from hypothesis import example, given
from hypothesis import strategies as st

from sentiment_edge import OptionError, load
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.engines import selection
from sentiment_edge_runtimes.engines.selection import Choice, Timing, choose
from sentiment_edge_runtimes.limits import MAX_THREADS
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterator

ANEW = Choice("onnxruntime", (Timing(1, 16, {"onnxruntime": 1.0, "openvino": 2.0}),))
NAMES = st.sampled_from([*ENGINES, "abacus"])
NUMBERS = st.one_of(st.floats(), st.integers(), st.just(10**400), st.text(max_size=2), st.none())
SECONDS = st.one_of(st.dictionaries(NAMES, NUMBERS, max_size=3), NUMBERS)
JSON = st.recursive(st.one_of(NAMES, NUMBERS, st.booleans()), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))
NEARLY = st.tuples(NAMES, st.lists(st.tuples(NUMBERS, NUMBERS, SECONDS), max_size=3), st.lists(st.text(max_size=3), max_size=2))
STORED = st.one_of(st.binary(), JSON.map(json.dumps).map(str.encode), NEARLY.map(json.dumps).map(str.encode))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    folder = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp("choice") / "bundle"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SENTIMENT_EDGE_ENGINE", raising=False)
        patch.setattr(selection, "_measure", lambda *_: ANEW)
        patch.setattr(selection, "remember", lambda *_: None)
        yield Bundle.open(add_openvino(folder))


@given(stored=STORED)
@example(stored=b"[" * (sys.getrecursionlimit() * 20))
@example(stored=json.dumps(["openvino", [[1, 16, {"openvino": 10**400, "onnxruntime": 1}]], []]).encode())
@example(stored=json.dumps(["openvino", [[1, 16, {"openvino": 1.0}]], []]).encode())
def test_a_choice_is_made_anew_or_sound(bundle: Bundle, stored: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "recall", lambda *_: stored)
        choice = choose(bundle, "auto", 1)
    assert choice.engine in ENGINES
    for timing in choice.timings:
        assert {*timing.seconds} == {*ENGINES}
        assert all(0 < seconds < math.inf for seconds in timing.seconds.values())


@pytest.mark.parametrize("threads", [MAX_THREADS + 1, 2**31, 2**63, 10**400])
def test_threads_without_end_are_refused_before_anything_is_opened(threads: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=rf"^`threads`: \d+.* is more than .* give {MAX_THREADS} at most$"):
        load(tmp_path / "nothing here", threads=threads)
    assert len(load(engine="onnxruntime", threads=64)(["fine"] * 200)) == 200
