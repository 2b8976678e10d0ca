"""Imports of a fresh process: nothing that is not needed, for each costs every start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

COMMANDS = {"bench", "doctor", "evaluate", "explain", "export", "models", "predict", "serve", "verify"}
ENGINES = {"numpy", "onnxruntime", "openvino", "tokenizers"}
HEAVY = {
    "asyncio",
    "csv",
    "email",
    "http",
    "importlib.metadata",
    "logging",
    "multiprocessing",
    "rich",
    "sqlite3",
    "ssl",
    "torch",
}
RUN = """
import json, sys
sys.argv[1:] = json.loads(sys.argv[1])
from sentiment_edge.__main__ import main
try:
    main()
finally:
    print(json.dumps([*sys.modules]), file=sys.stderr)
"""


def loaded(program: str, *arguments: str, stdin: str = "") -> set[str]:
    done = subprocess.run([sys.executable, "-c", program, *arguments], input=stdin, capture_output=True, text=True, check=True)
    return {*json.loads(done.stderr.splitlines()[-1])}


def imported(statement: str) -> set[str]:
    return loaded(f"{statement}\nimport json, sys\nprint(json.dumps([*sys.modules]), file=sys.stderr)")


def run(*words: str, stdin: str = "") -> set[str]:
    return loaded(RUN, json.dumps(words), stdin=stdin)


def modules_of_commands(modules: set[str]) -> set[str]:
    return {name for name in COMMANDS if f"sentiment_edge.cli.{name}" in modules}


@pytest.mark.parametrize("package", ["sentiment_edge", "sentiment_edge.runtimes", "sentiment_edge_runtimes"])
def test_importing_a_package_imports_no_library(package: str) -> None:
    modules = imported(f"import {package}")
    assert not (ENGINES | HEAVY | {"dataclasses", "hashlib", "inspect", "subprocess", "tempfile", "typer"}) & modules


def test_a_bundle_is_opened_without_any_engine() -> None:
    assert not {"onnxruntime", "openvino"} & imported(
        "from sentiment_edge.runtimes import Bundle, Manifest, OptionError, usable_cpus"
    )


def test_every_public_name_of_the_runtime_is_found() -> None:
    program = "import sentiment_edge.runtimes as r\nassert {*dir(r)} == {*r.__all__}\nfor name in r.__all__: getattr(r, name)"
    assert "sentiment_edge_runtimes.verification" in imported(program)
    with pytest.raises(subprocess.CalledProcessError):
        imported("import sentiment_edge.runtimes as r; r.nothing")


def test_the_help_needs_no_library() -> None:
    modules = run("--help")
    assert not (ENGINES | HEAVY | {"tempfile"}) & modules
    assert modules_of_commands(modules) == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_imports_no_other(name: str) -> None:
    modules = run(name, "--help")
    assert modules_of_commands(modules) == {name}
    assert not ENGINES & modules


def test_predict_imports_what_one_line_needs() -> None:
    modules = run("predict", stdin="I loved it.\n")
    assert modules_of_commands(modules) == {"predict"}
    assert not {"asyncio", "http", "logging", "multiprocessing", "openvino", "rich", "sqlite3", "ssl", "torch"} & modules
    assert "sentiment_edge_runtimes.verification" not in modules
