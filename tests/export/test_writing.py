"""Where the bundle goes: nothing is lost, nothing half-written."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import Command

from sentiment_edge import load
from sentiment_edge.export import export_model
from sentiment_edge_export.errors import OutputError, OutputExists

posix = pytest.mark.skipif(os.name != "posix", reason="signals and resource limits")


def test_an_output_that_exists_is_kept(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("kept")
    for overwrite, error in ((False, OutputExists), (True, OutputError)):
        with pytest.raises(error):
            export_model(str(tiny), output=tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / "out" / "precious").read_text() == "kept"


def test_a_bundle_is_replaced_on_request(tiny: Path, tmp_path: Path) -> None:
    export_model("gru-mini", output=tmp_path / "out")
    export_model(str(tiny), output=tmp_path / "out", overwrite=True)
    assert load(tmp_path / "out").bundle.files["onnx/model.onnx"] < 100_000
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


@posix
def test_a_disk_that_fills_up_leaves_nothing(command: Command, tmp_path: Path) -> None:
    def limit() -> None:  # a file may grow to 1 MB only, as on a disk with little left
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    # torch's own files go elsewhere, as they do where only the output's disk is full
    done = command("export", "--model", "gru-mini", "--output", tmp_path / "out", preexec_fn=limit)
    assert done.returncode == 1
    assert b"cannot be written (File too large)" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@posix
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("stage", ["tracing", "measuring parity"])
def test_an_interrupted_export_leaves_nothing(tmp_path: Path, sent: signal.Signals, status: int, stage: str) -> None:
    arguments = ["-m", "sentiment_edge", "export", "--model", "gru-mini", "--int8", "--output", str(tmp_path / "out")]
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if stage in line:
                break
        process.send_signal(sent)
        rest = process.stderr.read()
        assert process.wait(60) == status
    assert "Traceback" not in rest
    assert not list(tmp_path.iterdir())
