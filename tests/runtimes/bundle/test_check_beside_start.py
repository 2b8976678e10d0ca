"""A bundle that is checked while other work goes on: the same errors as without, whatever else happens meanwhile."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import BundleDamaged, BundleError, Classifier, EngineError
from sentiment_edge_runtimes.bundle import folder, opening
from sentiment_edge_runtimes.bundle.checking import Check
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

NAMES = ("manifest.json", "config.json", "golden.jsonl", "onnx/model_quantized.onnx", "parity.json", "tokenizer.json")
FORK = """
import os, sys
from pathlib import Path
from sentiment_edge import load
from sentiment_edge_runtimes.bundle import folder, opening
folder._LARGE_BUNDLE = 0
with opening(Path(sys.argv[1])) as bundle:
    child = os.fork()
    if not child:
        os._exit(0 if load(bundle.root)("I loved it.").label == "positive" else 1)
    status = os.waitpid(child, 0)[1]
sys.exit(status)
"""


def flip(path: Path) -> None:
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 1
    path.write_bytes(contents)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "flipped": flip,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "gone": Path.unlink,
    "another model": lambda path: path.write_bytes(b"\x08\x07:\x04\x0a\x02\x08\x01"),
}


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check every bundle on a thread, as large ones are."""
    monkeypatch.setattr(folder, "_LARGE_BUNDLE", 0)


def error_of(root: Path, limit: int, *, failing: bool = False, alone: bool = False) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "_LARGE_BUNDLE", limit)
        if alone:
            patch.setattr(threading.Thread, "start", cannot_start)
        try:
            with opening(root) as bundle:
                if failing:
                    Classifier(bundle, engine="openvino")
        except BundleError as error:
            return f"{type(error).__name__}: {error}"
        except EngineError:
            return "sound"
    return "sound"


def cannot_start(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(DAMAGE)), max_size=3))
def test_every_damage_has_one_error(damage: dict[str, str]) -> None:
    with TemporaryDirectory() as scratch:
        root = shutil.copytree(DEFAULT_BUNDLE, Path(scratch) / "bundle")
        for name, kind in damage.items():
            DAMAGE[kind](root / name)
        expected = error_of(root, 2**40)
        assert (expected == "sound") == (not damage)
        assert error_of(root, 0) == expected
        assert error_of(root, 0, failing=True) == expected
        assert error_of(root, 0, failing=True, alone=True) == expected


@pytest.mark.usefixtures("beside")
def test_damage_is_the_better_reason_than_an_error_of_the_engine(bundle_folder: Path) -> None:
    flip(bundle_folder / "parity.json")
    with pytest.raises(BundleDamaged, match=r"parity\.json has changed"), opening(bundle_folder):
        raise EngineError("Protobuf parsing failed")


@pytest.mark.usefixtures("beside")
def test_an_error_of_the_block_is_raised_where_the_bundle_is_sound(bundle_folder: Path) -> None:
    with pytest.raises(EngineError, match="Protobuf parsing failed"), opening(bundle_folder):
        raise EngineError("Protobuf parsing failed")


@pytest.mark.usefixtures("beside")
def test_an_interrupt_waits_for_nothing(bundle_folder: Path) -> None:
    flip(bundle_folder / "tokenizer.json")
    with pytest.raises(KeyboardInterrupt), opening(bundle_folder):
        raise KeyboardInterrupt
    for thread in threading.enumerate():
        if thread.name == "sentiment-edge-check":
            thread.join()


@pytest.mark.usefixtures("beside")
def test_what_the_block_reads_is_checked_before(bundle_folder: Path) -> None:
    expected = (bundle_folder / "tokenizer.json").read_bytes()
    read = []
    with opening(bundle_folder) as bundle:
        read.append(bundle.read("tokenizer.json"))
        assert pickle.loads(pickle.dumps(bundle)) == bundle  # noqa: S301 - our own
    assert read == [expected]
    flip(bundle_folder / "tokenizer.json")
    with pytest.raises(BundleDamaged, match=r"tokenizer\.json has changed"), opening(bundle_folder) as bundle:
        read.append(bundle.read("tokenizer.json"))
    assert len(read) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_meanwhile_opens_the_bundle_itself(bundle_folder: Path) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK, bundle_folder], check=True)


@given(st.lists(st.booleans(), max_size=20), st.booleans())
def test_the_first_failure_is_raised_and_no_step_is_left_out(fails: list[bool], starts: bool) -> None:
    taken: list[int] = []

    def step(number: int) -> None:
        taken.append(number)
        if fails[number]:
            raise ValueError(number)

    check = Check(lambda number=number: step(number) for number in range(len(fails)))  # type: ignore[misc]
    if starts:
        check.start()
    first = fails.index(True) if True in fails else None
    if first is None:
        check.finish()
        assert sorted(taken) == list(range(len(fails)))
        return
    with pytest.raises(ValueError, match=f"^{first}$"):
        check.finish()
    assert {*range(first + 1)} <= {*taken} and len({*taken}) == len(taken)


def test_an_interrupted_wait_lets_no_further_step_begin() -> None:
    taken: list[int] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    check = Check([interrupt, lambda: taken.append(1)])
    with suppress(KeyboardInterrupt):
        check.finish()
    check.start()
    with pytest.raises(KeyboardInterrupt):  # what was interrupted never counts as checked
        check.finish()
    assert not taken
