"""Exports from this machine: no socket, no file but where it is documented."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from helpers.tracing import Traced, can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="needs strace, and leave to use it")


def test_an_export_keeps_to_itself(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="needs the extra openvino")
    program = (sys.executable, "-m", "sentiment_edge", "export", "--engine", "onnxruntime", "--engine", "openvino")
    runs = {
        model: Traced(tmp_path / model, *program, "--output", "bundle", "--model", checkpoints.get(model, model), *options)
        for model, options in (("gru-mini", ("--int8", "--offline")), ("bert", ()))
    }
    for traced in runs.values():
        trace = traced.wait()
        assert (trace.status, trace.sockets) == (0, []), trace.output
        outside = trace.created_outside(traced.work, traced.temporary, traced.home / ".cache/sentiment-edge")
        assert [path for path in outside if not path.match("/dev/shm/sem.*")] == []  # semaphores, which are no files  # noqa: S108
        assert traced.left()["tmp"] == []
        assert {name.split("/")[0] for name in traced.left()["work"]} == {"bundle"}
