from __future__ import annotations

from typing import Any

import pytest

from sentiment_edge import EngineError, load
from sentiment_edge_runtimes.engines import loader
from sentiment_edge_runtimes.engines.loader import install_command, open_engine
from sentiment_edge_runtimes.errors import OptionError
from sentiment_edge_runtimes.vocabulary import ENGINES


@pytest.mark.parametrize(
    ("name", "threads", "option"), [("auto", 1, "name"), ("saturation", 1, "name"), (ENGINES[0], 0, "threads")]
)
def test_arguments_that_are_none_are_named(name: Any, threads: int, option: str) -> None:
    with pytest.raises(OptionError, match=f"`{option}`: "):
        open_engine(load().bundle, name, threads)


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (ModuleNotFoundError("No module named 'x'", name="x"), r"onnxruntime is not installed \(x is missing\): pip install"),
        (ImportError("libx.so: cannot open\nmore"), "onnxruntime is installed but cannot be loaded: libx.so: cannot open$"),
    ],
    ids=["absent", "broken"],
)
def test_a_library_that_cannot_be_imported_is_named(
    monkeypatch: pytest.MonkeyPatch, failure: ImportError, problem: str
) -> None:
    def fail(_: str) -> None:
        raise failure

    monkeypatch.setattr(loader, "import_module", fail)
    with pytest.raises(EngineError, match=problem):
        load(engine="onnxruntime")("text")


def test_only_the_default_engine_comes_with_the_package() -> None:
    assert [install_command(name).removeprefix("pip install ") for name in ENGINES] == [
        "'sentiment-edge'",
        "'sentiment-edge[openvino]'",
    ]
