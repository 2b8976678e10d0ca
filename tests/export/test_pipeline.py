"""The steps of an export, in order and each once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sentiment_edge.export import export_model
from sentiment_edge_export import pipeline
from sentiment_edge_export.checkpoints import checkpoint as checkpoint_module
from sentiment_edge_runtimes.progress import Progress
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from collections.abc import Sequence


class Stages(Progress):
    def __init__(self) -> None:
        self.heard: list[str] = []

        self.expected: list[str] = []

    def expect(self, stages: Sequence[tuple[str, float]]) -> None:
        self.expected = [name for name, _ in stages]

    def stage(self, name: str) -> None:
        self.heard.append(name)


def note_calls(monkeypatch: pytest.MonkeyPatch, module: object, name: str, calls: list[str]) -> None:
    """Let a module's function note each call of it."""
    function = getattr(module, name)

    def call(*arguments: Any, **named: Any) -> Any:
        calls.append(name)
        return function(*arguments, **named)

    monkeypatch.setattr(module, name, call)


def test_two_engines_share_one_checkpoint_and_one_reference(
    checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    note_calls(monkeypatch, checkpoint_module, "read_weights", calls)
    for name in ("load_classifier", "run_reference", "trace_graph"):
        note_calls(monkeypatch, pipeline, name, calls)
    progress = Stages()
    report = export_model(str(checkpoints["gru"]), engines=ENGINES, output=tmp_path / "out", progress=progress)
    assert [*report.bundle.manifest.engines] == [*ENGINES]
    assert calls == ["load_classifier", "read_weights", "run_reference", "trace_graph", "trace_graph"]
    stages = [f"{engine}: {stage}" for engine in ENGINES for stage in ("tracing", "measuring parity")]
    assert progress.heard == ["reading the checkpoint", "running the original in torch", *stages]


def test_two_engines_share_one_calibration(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    progress = Stages()
    export_model(str(checkpoints["bert"]), precision="int8", engines=ENGINES, output=tmp_path / "out", progress=progress)
    first, second = ([stage for stage in progress.heard if stage.startswith(engine)] for engine in ENGINES)
    proof = ["measuring parity of fp32", "quantizing", "measuring parity"]
    assert first[:6] == [f"{ENGINES[0]}: {stage}" for stage in ("tracing", "calibrating", "rounding", *proof)]
    assert second[:5] == [f"{ENGINES[1]}: {stage}" for stage in ("tracing", "rounding", *proof)]
    assert {*first[:6], *second[:5]} <= {*progress.expected}
