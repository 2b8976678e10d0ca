"""What a frozen app says of its own files and modules: its user has no pip, its builder does. Real ones are tools/freeze's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

FROZEN = """
import sys
sys.frozen = True  # as PyInstaller and cx_Freeze have it
sys._MEIPASS = sys.argv[1]
from pathlib import Path
from sentiment_edge import SentimentEdgeError, load
"""
SAID = """
try:
    load(*map(Path, sys.argv[2:]))("good")
except SentimentEdgeError as error:
    print(error)
"""


def said(program: str, *arguments: str | Path) -> str:
    command = [sys.executable, "-c", program + SAID, *map(str, arguments)]
    (line,) = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return line


def test_the_apps_own_bundle_is_installed_again(tmp_path: Path) -> None:
    assert "no bundle here (a folder with manifest.json); install this app again; whoever builds it" in said(
        FROZEN, tmp_path, tmp_path / "bundle"
    )
    shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle")
    (tmp_path / "bundle" / "tokenizer.json").unlink()
    assert said(FROZEN, tmp_path, tmp_path / "bundle").endswith("tokenizer.json is missing; install this app again")


def test_a_bundle_elsewhere_is_looked_for_in_the_app(tmp_path: Path) -> None:
    assert said(FROZEN, tmp_path / "app", "bundle").endswith(
        "add the bundle to this app as data, and give its path from the app's folder, not from the current one"
    )
    shutil.copytree(DEFAULT_BUNDLE, tmp_path / "mine")
    (tmp_path / "mine" / "tokenizer.json").unlink()
    assert said(FROZEN, tmp_path / "app", tmp_path / "mine").endswith("copy the bundle again or export it anew")


OURS = "sentiment_edge_runtimes.engines.sessions"


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        ("onnxruntime", "onnxruntime is not in this app: build this app where it is installed"),
        (OURS, f"{OURS}, a part of sentiment-edge, is missing: build this app with all of the package"),
        (
            "onnxruntime.capi",
            "onnxruntime is in this app but cannot be loaded, for onnxruntime.capi is missing: build this app with it",
        ),
    ],
)
def test_a_missing_module_is_the_builders_business(tmp_path: Path, missing: str, problem: str) -> None:
    assert said(f"{FROZEN}sys.modules[{missing!r}] = None\n", tmp_path) == problem


def test_without_a_terminal_it_answers(tmp_path: Path) -> None:
    """A windowed app has none: https://pyinstaller.org/en/stable/common-issues-and-pitfalls.html."""
    silent = "import sys\nsys.stdin = sys.stdout = sys.stderr = None\n"
    program = f"{silent}{FROZEN}Path(sys.argv[2]).write_text(load()('fine').label)"
    subprocess.run([sys.executable, "-c", program, str(tmp_path), str(tmp_path / "answer")], check=True)
    assert (tmp_path / "answer").read_text() == "positive"
