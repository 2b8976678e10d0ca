"""The package's data from a zip file, where it has no folder: `python -m zipapp` with the libraries installed beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest

import sentiment_edge
import sentiment_edge_runtimes
from sentiment_edge import EngineError, load
from sentiment_edge_runtimes.bundle.packaged import PACKAGE, read_packaged

PACKAGES = [Path(package.__file__).parent for package in (sentiment_edge, sentiment_edge_runtimes) if package.__file__]
BEGIN = """
import sys
import sentiment_edge_runtimes
from pathlib import Path
from sentiment_edge import SentimentEdgeError, load

assert sys.argv[0] in sentiment_edge_runtimes.__file__  # this one, not the installed one
"""
ANSWER = """
classifier = load()
print(classifier("I loved it.").score)
print(classifier.bundle.root)
"""


@pytest.fixture
def contents(tmp_path: Path) -> Path:
    """The packages, as they come into a zip file."""
    for package in PACKAGES:
        shutil.copytree(package, tmp_path / "contents" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "contents"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def run(contents: Path, program: str) -> list[str]:
    """Zip the packages with a program, run it, and return the lines that it prints."""
    (contents / "__main__.py").write_text(BEGIN + program, "utf-8")
    archive = contents.with_suffix(".pyz")
    zipapp.create_archive(contents, archive)
    done = subprocess.run([sys.executable, archive], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout.splitlines()


def test_the_default_bundle_answers_and_leaves_nothing(contents: Path, temporary: Path) -> None:
    score, root = run(contents, ANSWER)
    assert float(score) == load()("I loved it.").score
    assert Path(root).is_relative_to(temporary)
    assert not [*temporary.iterdir()]


def test_it_is_unpacked_once_and_for_this_user_only(contents: Path, temporary: Path) -> None:
    shown = "print(load().bundle.root == classifier.bundle.root, oct(classifier.bundle.root.parent.stat().st_mode))"
    assert run(contents, ANSWER + shown)[2:] == ["True 0o40700"]
    assert not [*temporary.iterdir()]


def test_it_is_unpacked_again_where_the_system_has_tidied_up(contents: Path, temporary: Path) -> None:
    again = "import shutil\nshutil.rmtree(classifier.bundle.root.parent)\nprint(load()('I loved it.').label)"
    assert run(contents, ANSWER + again)[2:] == ["positive"]
    assert not [*temporary.iterdir()]


@pytest.mark.skipif(sys.platform == "win32", reason="needs os.fork")
def test_the_end_of_a_fork_leaves_it_to_the_parent(contents: Path, temporary: Path) -> None:
    fork = "import os\nsys.stdout.flush()\nif not (child := os.fork()): sys.exit()\nos.waitpid(child, 0)\n"
    program = f"{fork}print(classifier.bundle.root.is_dir())"
    assert run(contents, ANSWER + program)[2:] == ["True"]
    assert not [*temporary.iterdir()]


def test_a_missing_bundle_and_no_room_are_said_in_a_line(contents: Path, temporary: Path) -> None:
    said = "try:\n    load()\nexcept SentimentEdgeError as error:\n    print(error)"
    full = "import tempfile\ntempfile.tempdir = str(Path(tempfile.gettempdir()) / 'absent')\n"
    (line,) = run(contents, full + said)
    assert "cannot be unpacked to a temporary folder" in line
    assert line.endswith("; name another one in TMPDIR")
    shutil.rmtree(contents / "sentiment_edge_runtimes" / "models")
    (line,) = run(contents, said)
    assert "gru-mini-int8: no bundle here" in line
    assert not [*temporary.iterdir()]


def test_a_file_that_is_missing_asks_for_another_install() -> None:
    missing = PACKAGE / "models" / "missing.onnx"
    with pytest.raises(EngineError) as failure:
        read_packaged(missing)
    assert str(failure.value) == f"{missing}: cannot be read (No such file or directory); install sentiment-edge again"
