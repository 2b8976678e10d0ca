"""Shell completion: the script for bash, and what it offers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import Command

BASH = shutil.which("bash")
SCRIPT = """
eval "$(_SENTIMENT_EDGE_COMPLETE=source_bash sentiment-edge)"
complete -p sentiment-edge
COMP_WORDS=(sentiment-edge "$@")
COMP_CWORD=$#
_sentiment_edge_completion sentiment-edge
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_the_root_names_it(command: Command) -> None:
    shown = command("--help").stdout.decode()
    assert "--install-completion" in shown and "--show-completion" in shown


def test_a_script_for_bash_is_printed(command: Command) -> None:
    done = command(env={**os.environ, "_SENTIMENT_EDGE_COMPLETE": "source_bash"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"complete -o default -F _sentiment_edge_completion sentiment-edge" in done.stdout


@pytest.mark.skipif(BASH is None or os.name == "nt", reason="needs bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pre"], ["predict"]),
        (["ev"], ["evaluate"]),
        (["predict", "--eng"], ["--engine"]),
        (["predict", "--engine", "open"], ["openvino"]),
        (["predict", '"I love this"', "--thr"], ["--threads"]),
        (["predict", "lines.t"], [""]),  # then bash offers files
    ],
)
def test_bash_completes(tmp_path: Path, words: list[str], offered: list[str]) -> None:
    installed = tmp_path / "sentiment-edge"
    installed.write_text('#!/bin/sh\nexec "$PYTHON" -m sentiment_edge "$@"\n')
    installed.chmod(0o755)
    program = [str(BASH), "--norc", "-c", SCRIPT, "bash", *words]
    environment = {**os.environ, "PYTHON": sys.executable, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(program, capture_output=True, check=True, env=environment, text=True)
    script, *found = done.stdout.splitlines()
    assert script == "complete -o default -F _sentiment_edge_completion sentiment-edge"
    assert (found, done.stderr) == (offered, "")
