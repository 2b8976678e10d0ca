"""The choice of an engine: made once and remembered, told, forced by a refusal or by what is installed. Without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.openvino_bundle import add_openvino
from helpers.support import WITHOUT_OPENVINO

from sentiment_edge import EngineError, load, verify
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.engines import saturation, selection
from sentiment_edge_runtimes.engines.selection import choose, installed_engines, usable_engines
from sentiment_edge_runtimes.errors import OptionError
from sentiment_edge_runtimes.vocabulary import ENGINES, EngineName

TEXTS = ["good", "the film was not bad!", "it was a long long day, and not a good film. " * 3, "", "good film " * 9]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own; the environment names no engine."""
    monkeypatch.delenv("SENTIMENT_EDGE_ENGINE", raising=False)
    monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bundle(bundle_folder: Path, cache: Path) -> Path:  # noqa: ARG001
    """A bundle for both engines."""
    return add_openvino(bundle_folder)


@pytest.fixture
def saturating(bundle_folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001
    """A bundle whose second engine is static int8, on a CPU whose products saturate."""
    monkeypatch.setattr(saturation, "products_saturate", lambda: True)
    return add_openvino(bundle_folder, static=True)


def files_of(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def test_the_first_use_times_both_and_later_ones_remember(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Bundle.open(bundle)
    first = choose(opened, "auto", 2)
    assert all(timing.seconds.keys() == {*ENGINES} for timing in first.timings)
    assert len(first.timings) > 1
    monkeypatch.setattr(selection, "open_engine", None)  # whoever times again fails
    assert choose(opened, "auto", 2) == first
    assert load(bundle, threads=2).engine == first.engine
    with pytest.raises(TypeError):
        choose(opened, "auto", 1)  # other threads, another choice


def test_a_slow_machine_times_one_shape_only(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_SLOW_SECONDS", 0)
    (timing,) = choose(Bundle.open(bundle), "auto", 2).timings
    assert timing.seconds.keys() == {*ENGINES}


def test_a_library_that_came_without_its_version_is_installed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert installed_engines() == {"onnxruntime": "unknown"}


def test_a_classifier_shows_the_engine_once_it_is_chosen(bundle: Path) -> None:
    classifier = load(bundle)
    assert "engine='auto'" in repr(classifier)
    assert f"engine={classifier.engine!r}" in repr(classifier)


@pytest.mark.parametrize("engine", ENGINES)
def test_it_can_be_told(bundle: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName) -> None:
    monkeypatch.setenv("SENTIMENT_EDGE_ENGINE", engine)
    assert load(bundle).engine == engine
    assert load(bundle, engine="onnxruntime").engine == "onnxruntime"


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("abacus", "SENTIMENT_EDGE_ENGINE is 'abacus'; it must be auto, onnxruntime or openvino"),
        ("openvino", "no model for openvino in it, which SENTIMENT_EDGE_ENGINE asks for"),
    ],
)
def test_a_variable_that_cannot_be_followed_is_named(monkeypatch: pytest.MonkeyPatch, named: str, problem: str) -> None:
    monkeypatch.setenv("SENTIMENT_EDGE_ENGINE", named)
    with pytest.raises(EngineError, match=problem):
        _ = load().engine
    assert load(engine="onnxruntime").engine == "onnxruntime"


@pytest.mark.parametrize(
    ("option", "arguments"),
    [
        ("engine", ("abacus", 1)),
        ("engine", ("Auto", 1)),
        ("engine", (None, 1)),
        ("threads", ("auto", 0)),
        ("threads", ("auto", True)),
        ("threads", ("onnxruntime", 2.0)),
    ],
)
def test_options_that_are_none_are_named(option: str, arguments: tuple[Any, Any]) -> None:
    with pytest.raises(OptionError, match=f"`{option}`: ") as refusal:
        choose(load().bundle, *arguments)
    assert refusal.value.option == option


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", None])
def test_a_damaged_cache_is_made_anew(bundle: Path, cache: Path, spoilt: bytes | None) -> None:
    expected = load(bundle, engine="openvino").logits(TEXTS)
    assert choose(Bundle.open(bundle), "auto", 2).timings
    files = files_of(cache)
    assert len(files) >= 2
    intact = {path: path.read_bytes() for path in files}
    for path, contents in intact.items():
        path.write_bytes(contents[:-1] + bytes([contents[-1] ^ 1]) if spoilt is None else spoilt)
    assert np.array_equal(load(bundle, engine="openvino").logits(TEXTS), expected)
    assert choose(Bundle.open(bundle), "auto", 2).timings
    assert all(path.read_bytes()[:64] != (spoilt or b"")[:64] for path in files)


@pytest.mark.parametrize("stored", [None, 3, [], ["abacus", [], []], ["openvino", [[1]], []], ["openvino", 1, []]], ids=str)
def test_a_remembered_choice_that_is_none_is_made_anew(bundle: Path, monkeypatch: pytest.MonkeyPatch, stored: object) -> None:
    monkeypatch.setattr(selection, "recall", lambda *_: json.dumps(stored).encode())
    choice = choose(Bundle.open(bundle), "auto", 1)
    assert choice.engine in ENGINES
    assert choice.timings


def test_a_cache_that_cannot_be_written_does_no_harm(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path / "file"))
    assert load(bundle).logits(TEXTS).shape == (len(TEXTS), 2)


def test_processes_that_start_at_once(bundle: Path) -> None:
    program = [sys.executable, "-m", "sentiment_edge", "predict", str(bundle), "--engine", "openvino"]
    running = [subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
    outputs = [process.communicate(b"good\nbad\n")[0] for process in running]
    assert len({*outputs}) == 1
    assert outputs[0].count(b"\n") == 2


def test_products_that_saturate_leave_it_to_onnxruntime(saturating: Path, cache: Path) -> None:
    choice = choose(Bundle.open(saturating), "auto", 1)
    assert choice.engine == "onnxruntime"
    assert "saturate" in choice.refused[0]
    assert not files_of(cache)  # a refusal may be for the moment only
    with pytest.raises(EngineError, match="use onnxruntime"):
        load(saturating, engine="openvino")("good")
    checked = verify(saturating)
    assert {each.engine for each in checked.conditions} == {"onnxruntime"}
    assert "saturate" in checked.refused[0]
    with pytest.raises(EngineError, match="use onnxruntime"):
        verify(saturating, engine="openvino")


def test_a_bundle_that_no_engine_can_run_gives_every_reason(saturating: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Bundle, name: str, __: int) -> None:
        raise EngineError(f"{name} is tired")

    monkeypatch.setattr(selection, "open_engine", refuse)
    with pytest.raises(EngineError, match="onnxruntime is tired; openvino is tired"):
        _ = load(saturating).engine


def test_without_openvino_the_bundle_runs_on_the_other_engine(bundle: Path) -> None:
    program = f"{WITHOUT_OPENVINO}from sentiment_edge import load\n"
    print_engine = f"print(load({str(bundle)!r}).engine)"
    done = subprocess.run([sys.executable, "-c", program + print_engine], capture_output=True, text=True, check=True)
    assert done.stdout == "onnxruntime\n"
    asked = f"load({str(bundle)!r}, engine='openvino')('good')"
    done = subprocess.run([sys.executable, "-c", program + asked], capture_output=True, text=True, check=False)
    assert "pip install 'sentiment-edge[openvino]'" in done.stderr.splitlines()[-1]


def test_without_any_engine_the_first_is_to_be_installed(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "installed_engines", dict)
    with pytest.raises(EngineError, match=r"none of its engines is installed: pip install 'sentiment-edge'$"):
        usable_engines(Bundle.open(bundle))
