"""Where the bundle goes: nothing is lost, nothing half-written."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.support import Command

from sentiment_edge import load
from sentiment_edge.export import export_model
from sentiment_edge_export.errors import OutputError, OutputExists
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_an_output_that_exists_is_kept(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("kept")
    (tmp_path / "out" / "manifest.json").write_text('{"format_version": 1, "files": {}}')  # even beside something like a bundle
    for overwrite, error in ((False, OutputExists), (True, OutputError)):
        with pytest.raises(error):
            export_model(str(tiny), output=tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / "out" / "precious").read_text() == "kept"


def test_a_bundle_is_replaced_on_request(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(DEFAULT_BUNDLE, tmp_path / "out")
    export_model(str(tiny), output=tmp_path / "out", overwrite=True)
    files = load(tmp_path / "out").bundle.manifest.files
    assert files["onnx/model.onnx"] < 100_000
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written == {*files, "README.md", "manifest.json", "SHA256SUMS"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "tiny"]


def test_a_place_that_cannot_be_written_is_named(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        export_model(str(tiny), output=tmp_path / "file" / "out")


def test_the_default_output_is_named_after_model_and_precision(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export_model(str(tiny)).bundle.root == Path("tiny-fp32")


def test_what_appears_during_an_export_is_kept(tiny: Path, tmp_path: Path) -> None:
    class Intruder(Progress):
        def stage(self, name: str) -> None:
            if name == "measuring parity":
                (tmp_path / "out").mkdir()
                (tmp_path / "out" / "precious").write_text("kept")

    with pytest.raises(OutputExists):
        export_model(str(tiny), output=tmp_path / "out", progress=Intruder())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["precious"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "tiny"]


def test_a_disk_that_fills_up_leaves_nothing(command: Command, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")

    def limit() -> None:  # a file may grow to 1 MB only, as on a disk with little left
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = command("export", "--model", "gru-mini", "--output", tmp_path / "out", preexec_fn=limit)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"cannot be written (File too large)" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_current_folder_is_not_replaced(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(DEFAULT_BUNDLE, tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    for output in (".", "..", str(tmp_path)):
        with pytest.raises(OutputError, match="is the folder you are in"):
            export_model(str(tiny), output=output, overwrite=True)
    assert load(tmp_path / "out").labels == ("negative", "positive")


def test_a_link_is_not_replaced(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="is a link"):
        export_model(str(tiny), output=tmp_path / "link", overwrite=True)


@pytest.mark.skipif(os.name != "posix", reason="signals and pseudo-terminals")
class TestSignals:
    """Sent in the midst of the work; stages tell when that is, and are shown on a terminal only."""

    @pytest.fixture(autouse=True)
    def hangups_end_programs(self) -> Iterator[None]:
        """Let programs meet a hangup as they do by themselves, also where `nohup` runs the tests."""
        pytest.importorskip("pty", reason="needs a terminal as POSIX has it")
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        yield
        signal.signal(signal.SIGHUP, before)

    @pytest.mark.parametrize(("sent", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
    @pytest.mark.parametrize("stage", [b"tracing", b"measuring parity"])
    def test_an_interrupted_export_leaves_nothing(self, tmp_path: Path, sent: str, status: int, stage: bytes) -> None:
        found, shown = signalled(tmp_path / "out", stage, signal.Signals[sent])
        assert found == status
        assert b"Traceback" not in shown
        assert not list(tmp_path.iterdir())

    def test_a_hangup_that_is_ignored_does_not_end_it(self, tmp_path: Path) -> None:
        """As `nohup` starts it."""
        found, shown = signalled(tmp_path / "out", b"tracing", signal.SIGHUP, "trap '' HUP; ")
        assert (found, b"Traceback" in shown) == (0, False)
        assert load(tmp_path / "out").labels == ("negative", "positive")


def signalled(output: Path, stage: bytes, sent: signal.Signals, before: str = "") -> tuple[int, bytes]:
    """Export, send a signal once a stage is shown, and return the status and what else is shown."""
    controller, terminal = pytest.importorskip("pty").openpty()
    program = [sys.executable, "-m", "sentiment_edge", "export", "--model", "gru-mini", "--int8", "--output", str(output)]
    shell = ["sh", "-c", f"{before}exec {shlex.join(program)}"]
    with subprocess.Popen(shell, stdout=subprocess.DEVNULL, stderr=terminal) as process:
        os.close(terminal)  # so that reading ends when the process does
        shown = b""
        while stage not in shown and (more := read(controller)):
            shown += more
        assert stage in shown
        process.send_signal(sent)
        shown = b""
        while more := read(controller):
            shown += more
    os.close(controller)
    return process.returncode, shown


def read(controller: int) -> bytes:
    """Read what a terminal shows; nothing once no process has it open."""
    try:
        return os.read(controller, 10_000)
    except OSError:  # Linux says EIO then
        return b""
