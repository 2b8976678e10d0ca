"""What `load` imports, and when: what one answer needs, the engine's library before the classifier is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_edge import BundleDamaged, load
from sentiment_edge_runtimes.bundle import folder

UNNEEDED = {"asyncio", "csv", "email", "importlib.metadata", "openvino", "subprocess", "tempfile", "typer", "zipfile"}
SHOWN = "\nimport json, sys\nprint(json.dumps([*sys.modules]))"


def loaded(program: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", program + SHOWN], capture_output=True, check=True)
    return {*json.loads(done.stdout)}


def test_an_answer_imports_what_it_needs() -> None:
    assert not UNNEEDED & loaded("from sentiment_edge import load\nload()('I loved it.')")


def test_the_library_is_imported_by_load_and_not_before() -> None:
    """So that a server's processes, forked after it, share the library."""
    assert "onnxruntime" not in loaded("from sentiment_edge import load")
    assert "onnxruntime" in loaded("from sentiment_edge import load\nload()")


def test_no_library_is_imported_in_the_thread_that_loads_in_the_background() -> None:
    """So that a window's thread goes on; the other thread's imports are left out here by not starting it."""
    program = """
import threading
from sentiment_edge import Labeller, load
threading.Thread.start = lambda thread: None
load(warm="background").close()
Labeller(None, print).close()
"""
    assert not {"numpy", "tokenizers", "onnxruntime"} & loaded(program)


def test_a_library_that_is_missing_is_named_at_first_use() -> None:
    program = """
import sys
sys.modules["onnxruntime"] = None
from sentiment_edge import EngineError, load
model = load()
try:
    model("good")
except EngineError as error:
    assert "not installed" in str(error), error
else:
    raise SystemExit("it has answered")
"""
    loaded(program)


@pytest.mark.parametrize("name", ["onnx/model_quantized.onnx", "tokenizer.json", "parity.json"])
def test_damage_is_said_by_load_itself(bundle_folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_LARGE_BUNDLE", 0)
    contents = bytearray((bundle_folder / name).read_bytes())
    contents[len(contents) // 2] ^= 1
    (bundle_folder / name).write_bytes(contents)
    with pytest.raises(BundleDamaged, match=f"{name} has changed"):
        load(bundle_folder)
