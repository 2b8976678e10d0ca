"""A second session that cannot be opened, or not be afforded: the first goes on answering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnxruntime
import pytest
from helpers.threaded_bundle import as_encoder

from sentiment_edge import load
from sentiment_edge_runtimes.engines import sessions
from sentiment_edge_runtimes.machine.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXTS = [f"film {number} " + "fine " * (number % 9) for number in range(200)]


def damage(_: pytest.MonkeyPatch, bundle: Path) -> None:
    path = next((bundle / "onnx").glob("*.onnx"))
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def remove(_: pytest.MonkeyPatch, bundle: Path) -> None:
    for path in (bundle / "onnx").glob("*.onnx"):
        path.unlink()


def exhaust(patch: pytest.MonkeyPatch, _: Path) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise MemoryError

    patch.setattr(onnxruntime, "InferenceSession", refused)


@pytest.mark.parametrize("refuse", [damage, remove, exhaust])
@pytest.mark.parametrize("first", [["fine"], TEXTS])
def test_the_first_session_goes_on(
    refuse: Callable[[pytest.MonkeyPatch, Path], None], first: list[str], bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = load(as_encoder(bundle_folder), engine="onnxruntime", threads=2)
    expected = classifier(first)
    refuse(monkeypatch, bundle_folder)
    for _ in range(3):
        bulk = classifier(TEXTS)
        assert [classifier(text).label for text in TEXTS[:20]] == [answer.label for answer in bulk[:20]]
    assert [answer.label for answer in classifier(first)] == [answer.label for answer in expected]


@pytest.mark.parametrize("left", [0, 1000])
def test_a_session_for_which_there_is_no_memory_is_not_opened(
    left: int, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []

    class Counted(onnxruntime.InferenceSession):  # type: ignore[misc]
        def __init__(self, *rest: Any, **named: Any) -> None:
            opened.append(rest)
            super().__init__(*rest, **named)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Counted)
    monkeypatch.setattr(sessions, "machine_memory", lambda: Memory(left, None, left))
    classifier = load(as_encoder(bundle_folder), engine="onnxruntime", threads=2)
    classifier("fine")
    before = len(opened)
    for _ in range(3):
        assert len(classifier(TEXTS)) == len(TEXTS)
    assert len(opened) == before
