from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentiment_edge import load
from sentiment_edge_runtimes.engines import loader
from sentiment_edge_runtimes.engines.loader import answer_settings, import_engine, install_command, open_engine
from sentiment_edge_runtimes.errors import OptionError
from sentiment_edge_runtimes.vocabulary import ENGINES, EngineName


@pytest.mark.parametrize(
    ("name", "threads", "option"), [("auto", 1, "name"), ("saturation", 1, "name"), (ENGINES[0], 0, "threads")]
)
def test_arguments_that_are_none_are_named(name: Any, threads: int, option: str) -> None:
    with pytest.raises(OptionError, match=f"`{option}`: "):
        open_engine(load().bundle, name, threads)


SAID = """
import sys
from sentiment_edge import EngineError, load

sys.modules.update(dict.fromkeys(sys.argv[1:]))  # none of these is found
try:
    load(engine="onnxruntime")("text")
except EngineError as error:
    print(error)
"""


AGAIN = "pip install --force-reinstall"
OURS = "sentiment_edge_runtimes.engines"
UNLOADED = "onnxruntime is installed but cannot be loaded"


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        ("onnxruntime", "onnxruntime is not installed: pip install 'sentiment-edge'"),
        ("onnxruntime.capi", f"{UNLOADED}, for onnxruntime.capi is missing: {AGAIN} onnxruntime"),
        (f"{OURS}.onnxruntime", f"{OURS}.onnxruntime, a part of sentiment-edge, is missing: {AGAIN} sentiment-edge"),
        (f"{OURS}.saturation", f"{OURS}.saturation, a part of sentiment-edge, is missing: {AGAIN} sentiment-edge"),
    ],
)
def test_a_module_that_is_missing_is_named_for_what_it_is(missing: str, problem: str) -> None:
    assert said(missing) == problem


@pytest.mark.parametrize(
    ("library", "problem"),
    [
        ("import absent", f"{UNLOADED}, for absent is missing: {AGAIN} onnxruntime"),
        ("raise ImportError('libx.so: cannot open\\nmore')", f"{UNLOADED}: libx.so: cannot open"),
    ],
    ids=["a library that it needs", "broken"],
)
def test_a_library_that_cannot_be_imported_says_why(tmp_path: Path, library: str, problem: str) -> None:
    (tmp_path / "onnxruntime.py").write_text(library)
    assert said(PYTHONPATH=str(tmp_path)) == problem


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_while_a_compiled_module_initializes_stays_one(
    ending: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise ImportError("initialization failed") from ending()

    monkeypatch.setattr(loader, "MODULES", {"onnxruntime": interrupted})
    with pytest.raises(ending):
        import_engine("onnxruntime")


def said(*missing: str, **environment: str) -> str:
    command = [sys.executable, "-c", SAID, *missing]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    return line


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_its_module(engine: EngineName) -> None:
    pytest.importorskip(engine)
    module = import_engine(engine)
    assert module.__name__.rpartition(".")[2] == engine
    assert callable(module.open_engine)


def test_a_bundle_tells_the_settings_that_its_engine_is_given() -> None:
    manifest = load().bundle.manifest
    (engine,) = manifest.engines
    assert answer_settings(manifest, engine) == manifest.models[engine].settings
    assert answer_settings(replace(manifest, precision="fp32"), engine) == {}


def test_only_the_default_engine_comes_with_the_package() -> None:
    assert [install_command(name).removeprefix("pip install ") for name in ENGINES] == [
        "'sentiment-edge'",
        "'sentiment-edge[openvino]'",
    ]
