"""Modules that programs which freeze apps find: they read statements, as the standard library's modulefinder does."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from modulefinder import ModuleFinder
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sentiment_edge
import sentiment_edge_runtimes
from sentiment_edge_runtimes.engines import MODULES
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[3]
LIBRARIES = ["numpy", "onnxruntime", "openvino", "platformdirs", "tokenizers"]
TESTS = ["test"]
"""The standard library names its own tests from Python 3.14 on; they lead to setuptools, on which its modulefinder fails."""
APP = """
from sentiment_edge import load, verify
classifier = load()
classifier(["I loved it.", "Dreadful."])
classifier.explain("I loved it.")
verify(classifier.bundle.root)
"""
LOADED = """
import json, sys
from pathlib import Path

maps = Path("/proc/self/maps")
opened = {line.split()[-1] for line in maps.read_text("utf-8").splitlines()} if maps.exists() else ()
print(json.dumps([[*sys.modules], [*opened]]))
"""
"""Prints the modules that are loaded, and where the system tells the files, the libraries among them."""
HOOKS = Path(str(sentiment_edge.__file__)).parent / "freezing" / "hooks"


@pytest.fixture(scope="module")
def loaded() -> tuple[list[str], list[str]]:
    """The modules and files that the app has loaded."""
    done = subprocess.run([sys.executable, "-c", APP + LOADED], capture_output=True, check=True)
    modules, files = json.loads(done.stdout)
    return modules, files


def ours(names: Iterable[str]) -> set[str]:
    return {name for name in names if name.startswith("sentiment_edge")}


def test_what_an_app_loads_of_this_project_is_found(tmp_path: Path, loaded: tuple[list[str], list[str]]) -> None:
    (tmp_path / "app.py").write_text(APP)
    packages = [Path(str(sentiment_edge_runtimes.__file__)).parents[1], ROOT]
    finder = ModuleFinder([*map(str, packages), *sys.path], excludes=[*LIBRARIES, *TESTS])
    finder.run_script(str(tmp_path / "app.py"))
    found = ours(finder.modules)
    assert ours(loaded[0]) <= found
    assert {f"sentiment_edge_runtimes.engines.{engine}" for engine in ENGINES} <= found
    assert not {name for name in found if name.startswith(("sentiment_edge.cli", "sentiment_edge_export"))}


def test_every_engine_is_imported_by_a_statement() -> None:
    assert [*MODULES] == [*ENGINES]


def test_pyinstaller_is_led_to_the_hooks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    group = "pyinstaller40"
    (folder,) = EntryPoint("hook-dirs", project["entry-points"][group]["hook-dirs"], group).load()()
    assert Path(folder) == HOOKS
    hooks = {path.stem.removeprefix("hook-") for path in HOOKS.glob("*.py")}
    assert {"sentiment_edge_runtimes", *ENGINES} <= hooks
    assert all(find_spec(name) for name in hooks if find_spec(name.partition(".")[0]))


def test_what_the_hooks_leave_out_is_not_loaded(loaded: tuple[list[str], list[str]]) -> None:
    modules, files = loaded
    assert not excluded() & {*modules}
    assert "onnxruntime.transformers" in excluded()
    assert not [file for file in files if Path(file).name.startswith("libonnxruntime.")]


def excluded() -> set[str]:
    """Return the modules that hooks leave out; they are written as a list, or as a choice between two."""
    trees = [ast.parse(path.read_text("utf-8")) for path in HOOKS.glob("*.py")]
    values = [
        node.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "excludedimports"
    ]
    return {
        each.value
        for value in values
        for each in ast.walk(value)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
