"""Whether other libraries may report: what is set before they are imported, and what is told."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tools.structure.source import read_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("sentiment_edge", "sentiment_edge_runtimes", "sentiment_edge_export")
BEFORE = """
import os, sys
from importlib.abc import MetaPathFinder

class Watch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in sys.stdlib_module_names and not name.startswith("sentiment_edge"):
            assert os.environ.get("ORT_DISABLE_TELEMETRY") == "1", name
            assert os.environ.get("HF_HUB_DISABLE_TELEMETRY") == "1", name

sys.meta_path.insert(0, Watch())
import {package}
assert os.environ["ORT_DISABLE_TELEMETRY"] == os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
assert not {{"numpy", "onnxruntime", "openvino"}} & set(sys.modules)
"""
TELLS = "from sentiment_edge_runtimes.engines.telemetry import reporting; print(reporting())"
HIDES = """
import sys
from types import ModuleType

mine = ModuleType("openvino_telemetry")
if "there" in sys.argv:
    sys.modules["openvino_telemetry"] = mine
import sentiment_edge_runtimes.engines.openvino
assert sys.modules.get("openvino_telemetry") is (mine if "there" in sys.argv else None)
import openvino
from sentiment_edge_runtimes.engines.telemetry import unreported
with unreported():
    import openvino
assert "openvino.tools.ovc" not in sys.modules
assert openvino.convert_model is openvino.tools.ovc.convert_model
assert openvino.tools.ovc.telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"
try:
    openvino.nothing
except AttributeError as error:
    assert str(error) == "module 'openvino' has no attribute 'nothing'"
import openvino_telemetry
"""


def run(program: str, *arguments: str, **variables: str) -> str:
    clean = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**clean, **variables})
    return done.stdout.strip()


@pytest.mark.parametrize("package", PACKAGES)
def test_telemetry_is_off_before_any_library_is_imported(package: str) -> None:
    run(BEFORE.format(package=package))


def test_every_package_is_covered() -> None:
    assert {module.package for module in read_modules()} == {*PACKAGES}


@pytest.mark.parametrize(
    ("program", "variables", "told"),
    [
        (TELLS, {}, "None"),
        (TELLS, {"ORT_DISABLE_TELEMETRY": ""}, "None"),
        (TELLS, {"ORT_DISABLE_TELEMETRY": "TRUE"}, "None"),
        (TELLS, {"ORT_DISABLE_TELEMETRY": "0"}, "ORT_DISABLE_TELEMETRY is '0'"),
        (f"import onnxruntime; {TELLS}", {"ORT_DISABLE_TELEMETRY": "1"}, "None"),
        (f"import onnxruntime; {TELLS}", {}, "onnxruntime was imported before sentiment_edge"),
    ],
    ids=["unset", "empty", "on", "kept", "told first", "too late"],
)
def test_what_may_report_is_told(program: str, variables: dict[str, str], told: str, tmp_path: object) -> None:
    assert run(program, HOME=str(tmp_path), **variables) == told


@pytest.mark.parametrize("there", ["", "there"])
def test_the_import_that_reports_finds_nothing_to_report_by(there: str) -> None:
    pytest.importorskip("openvino", reason="needs the extra openvino")
    if find_spec("openvino_telemetry") is None:
        pytest.skip("needs openvino-telemetry")
    run(HIDES, there)


def test_a_converter_that_cannot_be_imported_is_not_there() -> None:
    pytest.importorskip("openvino", reason="needs the extra openvino")
    begin = "import sys, sentiment_edge_runtimes.engines.openvino, openvino\nsys.modules['openvino.tools.ovc'] = None\n"
    assert run(f"{begin}print(hasattr(openvino, 'convert_model'))") == "False"


def test_every_import_of_the_library_that_reports_is_guarded() -> None:
    found: dict[str, bool] = {}
    for module in read_modules():
        guarded = {id(node) for block in _guards(module.tree) for node in ast.walk(block)}
        found |= {module.place(node): id(node) in guarded for node in ast.walk(module.tree) if _imports_openvino(node)}
    assert found
    assert all(found.values()), found


def _guards(tree: ast.Module) -> Iterator[ast.With]:
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and [ast.unparse(item.context_expr) for item in node.items] == ["unreported()"]:
            yield node


def _imports_openvino(node: ast.AST) -> bool:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return any(name.partition(".")[0] == "openvino" for name in names)
