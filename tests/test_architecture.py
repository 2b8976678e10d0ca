"""The shape of the code: its measures and their limits, public names, what a light install imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import sentiment_edge
import sentiment_edge.runtimes
from sentiment_edge_export.checkpoints.catalog import KNOWN_MODELS
from sentiment_edge_runtimes.vocabulary import ENGINES
from tools.structure.measures import measure_all
from tools.structure.source import parse, read_modules
from tools.structure.words import ENGINE_FOLDERS, FAMILY_FOLDERS, names_of

MEASURES = {measure.name: measure for measure in measure_all(read_modules())}
OFFENCES = {
    "a long function": ("export/graph.py", "def save():\n" + "    pass\n" * 50, "lines of a function, most"),
    "a long command": ("edge/cli/serve.py", "def serve():\n" + "    pass\n" * 51, "lines of a function, most"),
    "a long file": ("edge/metrics.py", "\n" * 301, "lines of a file, most"),
    "many parameters": (
        "export/pipeline.py",
        "def export_model(*, a, b, c, d, e, f, g, h, i, j, k): ...",
        "parameters of export_model",
    ),
    "two by position": ("export/pipeline.py", "def export_model(model, precision): ...", "parameters of export_model"),
    "up": ("export/graph/save.py", "from sentiment_edge_export import pipeline", "arrows back up"),
    "sideways": ("edge/server/app.py", "def f():\n    import sentiment_edge.evaluation.run", "arrows back up"),
    "up, for types": (
        "runtimes/bundle/golden.py",
        "if T:\n    from sentiment_edge_runtimes.classifier import C",
        "arrows back up",
    ),
    "to a package above": ("runtimes/classifier.py", "import sentiment_edge_export.errors", "arrows back up"),
    "to a facade": ("edge/cli/export.py", "from sentiment_edge.export import export_model", "arrows back up"),
    "from no layer": ("export/other.py", "from sentiment_edge_export.errors import ExportError", "arrows back up"),
    "relative": ("export/graph/save.py", "from .editor import GraphEditor", "arrows back up"),
    "a circle": ("edge/data/a.py", "from sentiment_edge.data import b", "circles of imports"),
    "code": ("edge/data/__init__.py", '"""Data."""\nfrom a import b\n__all__ = ["b"]\nprint(b)', "code in an __init__"),
    "help": ("edge/cli/serve.py", 'PORT = Option(help="8000 " "without it.")', 'help that says "without it"'),
    "a question": ("edge/metrics.py", 'def f():\n    """How good."""', "public docstrings that begin with What, How or Which"),
    "a field": (
        "edge/metrics.py",
        'class A:\n    b: int\n    """What it is."""',
        "public docstrings that begin with What, How or Which",
    ),
    "an engine": ("export/gate.py", 'f"{a}: use swift"', "engines named outside their modules"),
    "another engine": ("runtimes/engines/slow.py", 'a = "swift"', "engines named outside their modules"),
    "its module": (
        "export/gate.py",
        "from sentiment_edge_runtimes.engines.swift import a",
        "engines named outside their modules",
    ),
    "a family": ("export/pipeline.py", 'a = family == "tree-model"', "families named outside their modules"),
    "a name": ("edge/metrics.py", "class Swift: ...", "public classes that share a name"),
}
"""What must be noticed: file, text, and by which measure."""
FOLDERS = {"edge": "sentiment_edge", "export": "sentiment_edge_export", "runtimes": "sentiment_edge_runtimes"}
SOUND = {
    "edge/data/b.py": 'def f():\n    from sentiment_edge.data.a import c\n    """Not which."""',
    "edge/cli/bench.py": "def bench(\n" + "    a,\n" * 60 + "): ...",
    "export/families/tree_model.py": 'FAMILY = "tree-model"\n_A = 1\n"""What it is."""',
    "export/targets/__init__.py": 'from sentiment_edge_export.targets import swift\nTARGETS = {"swift": swift}',
    "export/targets/swift.py": 'from sentiment_edge_export.graph import editor\nENGINE: EngineName = "swift"',
    "export/graph/editor.py": '"""As swift has it."""\na = "swiftly"',
    "runtimes/engines/swift.py": 'class Swift:\n    """The engine."""\na = "swift"',
}


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


@pytest.mark.parametrize("name", MEASURES)
def test_the_structure_keeps_its_limits(name: str) -> None:
    measure = MEASURES[name]
    assert measure.kept, "\n".join((f"{name}: {measure.value:g}, at most {measure.limit:g}", *measure.offenders))


@pytest.mark.parametrize(("path", "text", "name"), OFFENCES.values(), ids=OFFENCES)
def test_an_offence_is_noticed(path: str, text: str, name: str) -> None:
    assert _broken(SOUND) == set()
    assert name in _broken({**SOUND, path: text})


def test_engines_and_families_are_known_to_the_check() -> None:
    modules = read_modules()
    assert names_of(modules, "ENGINE", ENGINE_FOLDERS) == set(ENGINES)
    assert names_of(modules, "FAMILY", FAMILY_FOLDERS) == {model.family for model in KNOWN_MODELS.values()}


def _broken(files: dict[str, str]) -> set[str]:
    """Return the names of the measures that made-up files break."""
    split = ((path.partition("/"), text) for path, text in files.items())
    modules = [parse(FOLDERS[folder], rest, text, f"{folder}/{rest}") for (folder, _, rest), text in split]
    return {measure.name for measure in measure_all(modules) if not measure.kept}


def test_what_is_public_is_listed() -> None:
    module = sentiment_edge.runtimes
    exposed = {name for name, value in vars(module).items() if not name.startswith("_") and not isinstance(value, ModuleType)}
    assert exposed <= set(module.__all__) == {name for name in module.__all__ if hasattr(module, name)}
    assert all(getattr(sentiment_edge, name) is getattr(module, name) for name in sentiment_edge.__all__)
    with pytest.raises(AttributeError):
        _ = sentiment_edge.nonsense


@pytest.mark.parametrize("program", [LIBRARY, LIGHT, QUICK], ids=["library", "commands", "the command line itself"])
def test_what_a_light_install_imports(program: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
