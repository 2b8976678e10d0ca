"""Where the bundle goes: nothing is lost, nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.support import Command

from sentiment_edge import load
from sentiment_edge.export import export_model
from sentiment_edge_export.errors import OutputError, OutputExists


def test_an_output_that_exists_is_kept(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("kept")
    (tmp_path / "out" / "manifest.json").write_text('{"format_version": 1, "files": {}}')  # even beside something like a bundle
    for overwrite, error in ((False, OutputExists), (True, OutputError)):
        with pytest.raises(error):
            export_model(str(tiny), output=tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / "out" / "precious").read_text() == "kept"


def test_a_bundle_is_replaced_on_request(tiny: Path, tmp_path: Path) -> None:
    export_model("gru-mini", output=tmp_path / "out")
    export_model(str(tiny), output=tmp_path / "out", overwrite=True)
    assert load(tmp_path / "out").bundle.manifest.files["onnx/model.onnx"] < 100_000
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
    def intrude(stage: str) -> None:
        if stage == "measuring parity":
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "precious").write_text("kept")

    with pytest.raises(OutputExists):
        export_model(str(tiny), output=tmp_path / "out", progress=intrude)
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
    export_model(str(tiny), output=tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    for output in (".", "..", str(tmp_path)):
        with pytest.raises(OutputError, match="is the folder you are in"):
            export_model(str(tiny), output=output, overwrite=True)
    assert load(tmp_path / "out").labels == ("negative", "positive")


def test_a_link_is_not_replaced(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="is a link"):
        export_model(str(tiny), output=tmp_path / "link", overwrite=True)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_nohup_protects_an_export(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "sentiment_edge", "export", "--model", "gru-mini", "--output", str(tmp_path / "out")]
    with subprocess.Popen(["nohup", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        time.sleep(3)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 0
    assert load(tmp_path / "out").labels == ("negative", "positive")


@pytest.mark.skipif(os.name != "posix", reason="signals and pseudo-terminals")
@pytest.mark.parametrize(("sent", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize("stage", [b"tracing", b"measuring parity"])
def test_an_interrupted_export_leaves_nothing(tmp_path: Path, sent: str, status: int, stage: bytes) -> None:
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()  # stages are shown on a terminal only
    arguments = ["-m", "sentiment_edge", "export", "--model", "gru-mini", "--int8", "--output", str(tmp_path / "out")]
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=terminal) as process:
        shown = b""
        while stage not in shown:
            shown += os.read(controller, 1000)
        process.send_signal(signal.Signals[sent])
        assert process.wait(60) == status
    os.write(terminal, b"end")
    assert b"Traceback" not in os.read(controller, 10_000)
    assert not list(tmp_path.iterdir())
