"""`bench --against torch`, in this process: torch takes seconds to import."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.invocation import invoke
from helpers.support import edit_manifest

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

torch = pytest.importorskip("torch", reason="needs the extra export")

QUICK = ("bench", "--against", "torch", "--threads", "1", "--seconds", "0.2")


@pytest.fixture(autouse=True)
def _same_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_torch_runs_the_same_texts() -> None:
    done = invoke(*QUICK, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["torch"]["checkpoint"], found["torch"]["version"]) == ("gru-mini", torch.__version__)
    (ours,), (theirs,) = found["results"], found["torch"]["results"]
    assert theirs["threads"] == 1
    for mine, other in zip(ours["latency"], theirs["latency"], strict=True):
        assert mine["tokens"] == other["tokens"]
        assert 0 < other["p50"] <= other["p90"] <= other["p99"]
        assert mine["times_torch"] == pytest.approx(other["p50"] / mine["p50"])


def test_the_table_has_a_column_and_lines_of_torch() -> None:
    done = invoke(*QUICK)
    assert done.returncode == 0, done.stderr
    machine, _, table = done.stdout.decode().partition("\n\n")
    assert "sentiment-edge " in machine
    rows = table.split("\n")
    assert rows[1].endswith("times torch")
    assert [row.split()[:4] for row in rows[6:10]] == 4 * [["gru-mini", "fp32", "torch", "1"]]


def test_a_checkpoint_that_is_not_here_is_asked_for(bundle_folder: Path) -> None:
    for source, problem in (
        ({"id": "my-model"}, "made of my-model, which is not here; give its folder by --checkpoint"),
        ({}, "its manifest names no checkpoint; give its folder by --checkpoint"),
    ):
        edit_manifest(bundle_folder, source=source)
        done = invoke(*QUICK, bundle_folder)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
        assert problem in done.stderr.decode()
    done = invoke(*QUICK, bundle_folder, "--checkpoint", bundle_folder / "nowhere")
    assert (done.returncode, done.stderr.decode()) == (1, f"sentiment-edge: {bundle_folder / 'nowhere'}: no such folder\n")


def test_another_model_is_refused(shared: Callable[[str], Path]) -> None:
    folder = shared("checkpoints/distilbert-mini-imdb")
    done = invoke(*QUICK, "--checkpoint", folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert "sequence-classification" in done.stderr.decode()


def test_bundles_of_several_models_have_no_torch_in_common(bundle_folder: Path) -> None:
    edit_manifest(bundle_folder, source={"id": "another"})
    done = invoke(*QUICK, bundle_folder, DEFAULT_BUNDLE)
    assert (done.returncode, done.stdout) == (1, b"")
    assert "--against torch takes bundles of one model; these are of another, gru-mini" in done.stderr.decode()
