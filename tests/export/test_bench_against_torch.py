"""`bench --against torch`, in this process: torch takes seconds to import."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from helpers.support import edit_manifest
from typer.testing import CliRunner

from sentiment_edge.cli import app
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

QUICK = ("bench", "--against", "torch", "--threads", "1", "--seconds", "0.2")


@pytest.fixture(autouse=True)
def _same_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_torch_runs_the_same_texts() -> None:
    done = CliRunner().invoke(app, [*QUICK, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["torch"]["checkpoint"], found["torch"]["version"]) == ("gru-mini", torch.__version__)
    (ours,), (theirs,) = found["results"], found["torch"]["results"]
    assert theirs["threads"] == 1
    for mine, other in zip(ours["latency"], theirs["latency"], strict=True):
        assert mine["tokens"] == other["tokens"]
        assert 0 < other["p50"] <= other["p90"] <= other["p99"]
        assert mine["times_torch"] == pytest.approx(other["p50"] / mine["p50"])


def test_the_table_has_a_column_and_lines_of_torch() -> None:
    done = CliRunner().invoke(app, [*QUICK])
    assert done.exit_code == 0, done.output
    rows = done.stdout.split("\n")
    assert rows[1].endswith("times torch")
    assert [row.split()[:4] for row in rows[6:10]] == 4 * [["gru-mini", "fp32", "torch", "1"]]


def test_a_checkpoint_that_is_not_here_is_asked_for(bundle_folder: Path) -> None:
    for source, problem in (
        ({"id": "my-model"}, "made of my-model, which is not here; give its folder by --checkpoint"),
        ({}, "its manifest names no checkpoint; give its folder by --checkpoint"),
    ):
        edit_manifest(bundle_folder, source=source)
        done = CliRunner().invoke(app, [*QUICK, str(bundle_folder)])
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert problem in done.stderr
    done = CliRunner().invoke(app, [*QUICK, str(bundle_folder), "--checkpoint", str(bundle_folder / "nowhere")])
    assert (done.exit_code, done.stderr) == (1, f"sentiment-edge: {bundle_folder / 'nowhere'}: no such folder\n")


def test_another_model_is_refused(shared: Callable[[str], Path]) -> None:
    folder = shared("checkpoints/distilbert-mini-imdb")
    done = CliRunner().invoke(app, [*QUICK, "--checkpoint", str(folder)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "sequence-classification" in done.stderr


def test_bundles_of_several_models_have_no_torch_in_common(bundle_folder: Path) -> None:
    edit_manifest(bundle_folder, source={"id": "another"})
    done = CliRunner().invoke(app, [*QUICK, str(bundle_folder), str(DEFAULT_BUNDLE)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "--against torch takes bundles of one model; these are of another, gru-mini" in done.stderr
