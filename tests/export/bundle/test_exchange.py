"""A bundle replaced whole: killed at any moment, the old one or the new one is in its place."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import edit_manifest

from sentiment_edge_export.bundle.output import bundle_folder, prepare_output
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.machine.scratch import scratch_folder

REPLACE = """
import os, shutil, signal, sys
from pathlib import Path
from sentiment_edge_runtimes.machine import exchange
from sentiment_edge_export.bundle.output import bundle_folder

source, output, exchanges, kill_at = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "exchange", int(sys.argv[4])
if not exchanges:
    exchange._exchange = lambda *_: False
events = -1

def count(event, _):
    global events
    if events >= 0 and event in {"open", "os.rename", "os.rmdir", "os.remove", "os.mkdir", "os.listdir", "ctypes.dlsym"}:
        events += 1
        if events == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
with bundle_folder(output, overwrite=True) as folder:
    shutil.copytree(source, folder, dirs_exist_ok=True)
    events = 0
"""
"""Puts a copy of a bundle in the place of another, and kills itself before the nth call on the file system from the end on."""
MOST_EVENTS = 200

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills itself by a signal")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A bundle that is not the default one."""
    folder = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "new"))
    edit_manifest(folder, source={"id": "another"})
    return folder


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_killed_at_each_step_leaves_the_old_or_the_new_whole(new: Path, tmp_path: Path, way: str) -> None:
    output = tmp_path / "place" / "bundle"
    expected = {Bundle.open(folder).fingerprint for folder in (DEFAULT_BUNDLE, new)}
    seen = set()
    for step in range(1, MOST_EVENTS):
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(DEFAULT_BUNDLE, output)
        done = subprocess.run([sys.executable, "-c", REPLACE, str(new), str(output), way, str(step)], check=False)
        if way == "exchange":
            assert output.exists(), step
        prepare_output(output, overwrite=True)
        assert [path.name for path in output.parent.iterdir()] == ["bundle"], step
        seen.add(Bundle.open(output).fingerprint)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert done.returncode == 0
    assert step > 10
    assert seen == expected


def test_what_others_are_writing_is_left_alone(tmp_path: Path) -> None:
    output = tmp_path / "bundle"
    with scratch_folder(output) as running:
        prepare_output(output, overwrite=False)
        assert running.is_dir()
        with bundle_folder(output, overwrite=False) as folder:
            (folder / "file").write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_name_of_250_characters(tmp_path: Path) -> None:
    output = tmp_path / ("b" * 250)
    with bundle_folder(output, overwrite=False) as folder:
        (folder / "file").write_text("whole")
    assert (output / "file").read_text() == "whole"


def test_a_bundle_that_cannot_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle"))
    monkeypatch.setattr("sentiment_edge_runtimes.machine.exchange._exchange", lambda *_: False)
    rename = Path.rename

    def refuse_new(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(OSError, match="No space left"), bundle_folder(output, overwrite=True) as folder:
        (folder / "file").write_text("whole")
    assert Bundle.open(output).fingerprint == Bundle.open(DEFAULT_BUNDLE).fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
