"""A really trained, full-size checkpoint, with logits that its original definition gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support import Command

from sentiment_edge import load

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(("flags", "tolerance", "limit"), [([], 1e-4, 17.2e6), (["--int8"], 0.2, 4.7e6)])
def test_golden_logits(
    shared: Callable[[str], Path], command: Command, tmp_path: Path, flags: list[str], tolerance: float, limit: float
) -> None:
    checkpoint = shared("checkpoints/gru-sst2")
    done = command("export", "--model", checkpoint, "--output", tmp_path / "out", "--json", *flags)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert report["parity"]["passed"] is True
    assert report["nodes"] == {"GRU": 1}
    assert sum(size for name, size in report["files"].items() if name.startswith("onnx/")) <= limit
    golden = [json.loads(line) for line in (checkpoint / "golden.jsonl").read_text("utf-8").split("\n") if line]
    classifier = load(tmp_path / "out")
    logits = classifier.logits([row["text"] for row in golden])
    assert np.abs(logits - [row["logits"] for row in golden]).max() <= tolerance
    assert command("verify", tmp_path / "out").returncode == 0
