"""A really trained, full-size checkpoint, with logits that its original definition gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from support import Command

from sentiment_edge import load
from sentiment_edge_runtimes.numerics import Condition

if TYPE_CHECKING:
    from collections.abc import Callable


class Bounds(NamedTuple):
    logit_difference: float
    drift: float
    onnx_bytes: float


@pytest.mark.parametrize(
    ("flags", "bounds"), [([], Bounds(1e-4, 1e-4, 17.2e6)), (["--int8"], Bounds(1, 0.05, 4.7e6))], ids=["fp32", "int8"]
)
def test_golden_logits(
    shared: Callable[[str], Path], command: Command, tmp_path: Path, flags: list[str], bounds: Bounds
) -> None:
    checkpoint = shared("checkpoints/gru-sst2")
    done = command("export", "--model", checkpoint, "--output", tmp_path / "out", "--json", *flags)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert report["parity"]["passed"] is True
    assert report["nodes"] == {"GRU": 1}
    assert sum(size for name, size in report["files"].items() if name.startswith("onnx/")) <= bounds.onnx_bytes
    golden = [json.loads(line) for line in (checkpoint / "golden.jsonl").read_text("utf-8").split("\n") if line]
    classifier = load(tmp_path / "out")
    logits = classifier.logits([row["text"] for row in golden])
    condition = Condition.of("golden", logits, np.array([row["logits"] for row in golden], np.float32), "softmax")
    assert condition.agreement == 1
    assert condition.max_logit_difference <= bounds.logit_difference
    assert condition.max_drift <= bounds.drift
    assert command("verify", tmp_path / "out").returncode == 0
