"""The shape of the code: arrows between folders, public names, what a light install imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import sentiment_edge
import sentiment_edge.runtimes

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "sentiment_edge_runtimes": ROOT / "runtimes" / "sentiment_edge_runtimes",
    "sentiment_edge_export": ROOT / "export" / "sentiment_edge_export",
    "sentiment_edge": ROOT / "sentiment_edge",
}
ALLOWED = {
    "sentiment_edge_runtimes": {"sentiment_edge_runtimes"},
    "sentiment_edge_export": {"sentiment_edge_export", "sentiment_edge_runtimes"},
}
INNER = {
    "benchmark": set(),
    "data": {"render"},
    "diagnosis": set(),
    "evaluation": {"data", "render"},
    "explanation": {"render"},
    "parity": {"render"},
    "render": set(),
    "server": set(),
}
"""Folders of `sentiment_edge`; the command line may import them all."""
LIBRARY = """
import sys
from importlib.abc import MetaPathFinder

class OnlyTheThree(MetaPathFinder):
    allowed = {"numpy", "onnxruntime", "tokenizers", "sentiment_edge", "sentiment_edge_runtimes"} | sys.stdlib_module_names

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, OnlyTheThree())
from sentiment_edge import load
assert load()("I loved it.").label == "positive"
"""
QUICK = """
import sys
import sentiment_edge.cli
assert not {"numpy", "onnxruntime", "tokenizers", "rich"} & set(sys.modules)
"""
LIGHT = """
import sys
from typer.testing import CliRunner
from sentiment_edge.cli import app

with open("rows.csv", "w") as file:
    file.write("text,label,prediction\\nI loved it.,positive,positive\\nDreadful.,negative,positive\\n")
evaluations = ["evaluate", "--data", "rows.csv", "--report", "page.html"], ["evaluate", "--predictions", "rows.csv", "--json"]
measuring = ["doctor"], ["bench", "--threads", "1", "--seconds", "0.2"]
for arguments in (["predict"], ["explain", "fine"], *evaluations, ["models"], *measuring, ["--help"]):
    result = CliRunner().invoke(app, arguments, input="I loved it.")
    assert result.exit_code == 0, result.output
assert not {"torch", "transformers", "huggingface_hub", "onnx", "matplotlib", "scipy", "sklearn"} & set(sys.modules)
"""


def imports_of(package: Path) -> set[str]:
    """Modules that the package's files import, wherever in the file."""
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                found.add(str(node.module))
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_arrows_point_one_way(package: str) -> None:
    found = {module.partition(".")[0] for module in imports_of(PACKAGES[package])}
    assert found & set(PACKAGES) <= ALLOWED[package]


@pytest.mark.parametrize("folder", INNER)
def test_arrows_point_one_way_within_the_command_line_too(folder: str) -> None:
    modules = (module.split(".") for module in imports_of(PACKAGES["sentiment_edge"] / folder))
    found = {parts[1] for parts in modules if parts[0] == "sentiment_edge" and len(parts) > 1}
    assert found & {"cli", *INNER} <= {folder, *INNER[folder]}


def test_what_is_public_is_listed() -> None:
    module = sentiment_edge.runtimes
    exposed = {name for name, value in vars(module).items() if not name.startswith("_") and not isinstance(value, ModuleType)}
    assert set(module.__all__) == exposed
    assert all(getattr(sentiment_edge, name) is getattr(module, name) for name in sentiment_edge.__all__)
    with pytest.raises(AttributeError):
        _ = sentiment_edge.nonsense


@pytest.mark.parametrize("program", [LIBRARY, LIGHT, QUICK], ids=["library", "commands", "the command line itself"])
def test_what_a_light_install_imports(program: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
