"""A classifier that is ready before it is needed: what starts when, and what is said where it cannot."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.openvino_bundle import add_openvino

from sentiment_edge import BundleDamaged, BundleError, BundleMissing, Classifier, EngineError, OptionError, load
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.engines.onnxruntime import OnnxRuntimeSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge_runtimes.vocabulary import EngineName

WARM_UP = "sentiment-edge-warm-up"


def sessions() -> set[int]:
    return {id(each) for each in gc.get_objects() if isinstance(each, OnnxRuntimeSession)}


def wait_for_warm_up() -> None:
    for thread in threading.enumerate():
        if thread.name == WARM_UP:
            thread.join()


@pytest.mark.parametrize(
    ("start", "warm"),
    [
        (load, False),
        (lambda: load(warm=True), True),
        (lambda: load(warm="background"), True),
        (lambda: warmed(background=False), True),
        (lambda: warmed(background=True), True),
    ],
)
def test_the_engine_starts_when_it_is_asked_to(start: Callable[[], Classifier], warm: bool, classifier: Classifier) -> None:
    expected = classifier("I loved it.")
    before = sessions()
    started = start()
    wait_for_warm_up()
    assert len(sessions() - before) == warm
    assert started("I loved it.") == expected
    assert len(sessions() - before) == 1


def warmed(*, background: bool) -> Classifier:
    classifier = load()
    classifier.warm_up(background=background)
    return classifier


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_first_call_may_come_while_it_warms_up(bundle_folder: Path, engine: EngineName) -> None:
    bundle = add_openvino(bundle_folder)
    expected = load(bundle, engine=engine)("I loved it.")
    for _ in range(5):
        started = load(bundle, engine=engine, warm="background")
        started.warm_up(background=True)
        assert started("I loved it.") == expected
        assert started.engine == engine
        assert started.labels == ("negative", "positive")


def test_it_shows_what_is_known(tmp_path: Path) -> None:
    missing = load(tmp_path / "nowhere", warm="background")
    assert repr(missing) == "Classifier('nowhere', engine='auto')"


@pytest.mark.parametrize("warm", ["yes", None, 2, ["background"]])
def test_options_are_checked_at_once(tmp_path: Path, warm: Any) -> None:
    with pytest.raises(OptionError, match=r"`warm`: .* is not one of False, True, background"):
        load(tmp_path / "nowhere", warm=warm)
    with pytest.raises(OptionError, match="`engine`"):
        load(tmp_path / "nowhere", engine="abacus", warm="background")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="`threads`"):
        load(tmp_path / "nowhere", threads=0, warm="background")


def test_a_missing_bundle_is_named_by_the_next_call_and_tried_again(tmp_path: Path, classifier: Classifier) -> None:
    started = load(tmp_path / "later", warm="background")
    wait_for_warm_up()
    for use in (lambda: started("I loved it."), lambda: started.labels, started.warm_up, lambda: started.engine):
        with pytest.raises(BundleMissing, match="no bundle here") as failure:
            use()
        assert "\n" not in str(failure.value)
    shutil.copytree(DEFAULT_BUNDLE, tmp_path / "later")
    assert started("I loved it.") == classifier("I loved it.")


@pytest.mark.parametrize("name", ["tokenizer.json", "onnx/model_quantized.onnx", "manifest.json"])
def test_a_damaged_bundle_is_named_by_the_next_call(bundle_folder: Path, name: str) -> None:
    (bundle_folder / name).write_bytes((bundle_folder / name).read_bytes()[:-3])
    with pytest.raises(BundleDamaged):
        load(bundle_folder, warm=True)
    started = load(bundle_folder, warm="background")
    with pytest.raises(BundleDamaged) as failure:
        started(["I loved it."])
    assert "\n" not in str(failure.value)


def test_no_model_for_the_engine_is_said_by_the_next_call() -> None:
    started = load(engine="openvino", warm="background")
    with pytest.raises(EngineError, match="no model for openvino in it"):
        started("I loved it.")


def test_an_engine_that_cannot_be_chosen_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMENT_EDGE_ENGINE", "abacus")
    load()
    with pytest.raises(EngineError, match="SENTIMENT_EDGE_ENGINE is 'abacus'"):
        load(warm=True)
    started = load(warm="background")
    wait_for_warm_up()
    with pytest.raises(EngineError, match="SENTIMENT_EDGE_ENGINE is 'abacus'"):
        started("I loved it.")
    monkeypatch.delenv("SENTIMENT_EDGE_ENGINE")
    assert started("I loved it.").label == "positive"


def test_an_engine_that_is_missing_is_named_by_the_next_call_without_a_traceback() -> None:
    program = """
import sys
sys.modules["onnxruntime"] = None
from sentiment_edge import EngineError, load
model = load(warm="background")
for use in (lambda: model("good"), model.warm_up):
    try:
        use()
    except EngineError as error:
        assert "not installed" in str(error) and "\\n" not in str(error), error
    else:
        raise SystemExit("it has answered")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_errors_of_the_thread_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    started = load(tmp_path / "nowhere", warm="background")
    wait_for_warm_up()
    assert not shown
    with pytest.raises(BundleError):
        started("I loved it.")
