"""The floor under the benchmarks' figures: what became slower is named; the documentation shows the figures that are kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
OURS, PEERS = "ours, OpenVINO", ("torch", "NNCF", "CTranslate2")
SPREAD = 0.05


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"suite.report.{module}", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "benchmarks")},
    )


def results(path: Path, ratios: dict[str, float], kind: str = "x86 with VNNI", spread: float = SPREAD) -> Path:
    """Write results of one measure, in which each other takes so many times ours."""
    spreads = {name: [ratio * (1 - spread), ratio, ratio * (1 + spread)] for name, ratio in ratios.items()}
    measured = {"figures": {OURS: 1.0, **ratios}, "ratios": {OURS: spreads}}
    subject = {"title": "a model", "latency": {"1x8": measured}, "bulk": {}, "other": {}}
    machine: dict[str, Any] = {"cpu": "a CPU", "kind": kind, "features": [], "cores": 2, "threads": 2, "load": 0.0}
    run_of = {"date": "2026-11-26", "rounds": 7, "versions": {}, "subjects": {"encoder": subject}, **machine}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(run_of), encoding="utf-8")
    return path


def of_all(ratio: float) -> dict[str, float]:
    return dict.fromkeys(PEERS, ratio)


@pytest.mark.parametrize(
    ("after", "spread"),
    [
        (of_all(2.0), SPREAD),
        (of_all(1.85), SPREAD),
        (of_all(2.5), SPREAD),
        (of_all(1.5), 0.3),
        ({"torch": 2.0, "NNCF": 1.0, "CTranslate2": 2.0}, SPREAD),
        (of_all(1.96), 0.0),
    ],
    ids=["the same", "within the spread", "faster", "a wide spread", "one other became faster", "hardly slower"],
)
def test_quiet_where_nothing_became_slower(tmp_path: Path, after: dict[str, float], spread: float) -> None:
    old = results(tmp_path / "old.json", of_all(2.0), spread=spread)
    done = run("compare", results(tmp_path / "new.json", after, spread=spread), old)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "0 of 1 measures became worse since 2026-11-26\n"


@pytest.mark.parametrize("as_folders", [False, True])
def test_slower_by_more_than_the_spread_is_named(tmp_path: Path, *, as_folders: bool) -> None:
    old = results(tmp_path / "old" / "cpu.json", of_all(2.0))
    new = results(tmp_path / "new" / "cpu.json", {**of_all(1.6), "a new one": 3.0})
    done = run("compare", *((new.parent, old.parent) if as_folders else (new, old)))
    assert done.returncode == 1
    first, last = done.stdout.splitlines()
    assert first.startswith("encoder, 1x8, ours, OpenVINO: 0.80 of what it was; worse against 3 of 3 others")
    assert last == "1 of 1 measures became worse since 2026-11-26"


def test_runs_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    new = results(tmp_path / "new.json", of_all(2.0))
    broken = tmp_path / "broken.json"
    broken.write_text('{"subjects": []}', encoding="utf-8")
    for other in (results(tmp_path / "amx.json", of_all(2.0), kind="x86 with AMX"), broken, tmp_path / "missing.json"):
        done = run("compare", new, other)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr


def test_documentation_shows_the_kept_results() -> None:
    done = run("keep", "--check")
    assert (done.returncode, done.stderr) == (0, "")
