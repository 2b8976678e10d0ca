"""Long models: what the gate does not measure is named, and a smaller `max_length` is kept to everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.invocation import invoke
from helpers.tiny_encoders import POSITIONS, tiny_model, write_encoder

from sentiment_edge import load
from sentiment_edge.export import GraphOptions, export_model
from sentiment_edge_export.errors import ExportError, memory_named
from sentiment_edge_export.parity import batches
from sentiment_edge_runtimes.errors import EngineError, OptionError

if TYPE_CHECKING:
    from helpers.exports import Exports

LONG_TEXT = "good film " * 100


@pytest.mark.parametrize("name", ["burn", "gru"])
def test_a_smaller_length_is_kept_to(checkpoints: dict[str, Path], tmp_path: Path, name: str) -> None:
    done = invoke("export", "--model", checkpoints[name], "--max-length", "12", "--output", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    classifier = load(tmp_path / "out")
    manifest = classifier.bundle.manifest
    assert (manifest.max_length, manifest.lengths[-1]) == (12, 12)
    assert len(manifest.lengths) > 1
    assert classifier(LONG_TEXT).truncated
    assert not classifier("good film").truncated
    assert "left_out" not in json.loads(done.stdout)["parity"]


@pytest.mark.parametrize(
    ("name", "graph", "option", "problem"),
    [
        ("bert", {"max_length": POSITIONS + 1}, "max_length", f"{POSITIONS + 1} tokens; this model takes 3 to {POSITIONS}"),
        ("bert", {"fixed_length": POSITIONS + 1}, "fixed_length", f"this model takes 3 to {POSITIONS}"),
        ("gru", {"max_length": 64, "padding": "padded"}, "max_length", "with `padding` padded this model takes 128 only"),
        ("gru", {"fixed_length": 64, "padding": "padded"}, "fixed_length", "with `padding` padded this model takes 128 only"),
    ],
)
def test_a_length_that_the_model_cannot_have_is_refused(
    checkpoints: dict[str, Path], tmp_path: Path, name: str, graph: dict[str, Any], option: str, problem: str
) -> None:
    with pytest.raises(OptionError, match=problem) as refusal:
        export_model(str(checkpoints[name]), output=tmp_path / "out", graph=GraphOptions(**graph))
    assert refusal.value.option == option
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("graph", "option", "problem"),
    [
        ({"max_length": 8, "fixed_length": 8}, "max_length", "`fixed_length` says already how many tokens are read"),
    ],
)
def test_lengths_that_cannot_be_are_refused_where_they_are_made(graph: dict[str, Any], option: str, problem: str) -> None:
    with pytest.raises(OptionError, match=problem) as refusal:
        GraphOptions(**graph)
    assert refusal.value.option == option


def test_what_takes_too_much_memory_is_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_ATTENTION_BYTES", 4 * 4 * 3 * 24**2)  # the scores of 24 tokens in four heads
    checkpoint = write_encoder(tmp_path / "bert", tiny_model("bert"))
    done = invoke("export", "--model", checkpoint, "--output", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    said = done.stderr.decode()
    assert f"parity was measured on up to 24 of the {POSITIONS} tokens that this model reads" in said
    assert "set --max-length to 24" in said
    found = json.loads((tmp_path / "out" / "parity.json").read_text("utf-8"))
    assert found["left_out"] == json.loads(done.stdout)["parity"]["left_out"]
    assert [each["name"] for each in found["by_length"]] == ["padded to 8", "padded to 16", "padded to 24"]
    assert found["conditions"][0]["texts"] < 259
    assert load(tmp_path / "out").bundle.manifest.max_length == POSITIONS
    shorter = invoke("export", "--model", checkpoint, "--max-length", "24", "--output", tmp_path / "shorter", "--json")
    assert (shorter.returncode, shorter.stderr) == (0, b"")


def test_a_measured_whole_model_leaves_nothing_out(exports: Exports) -> None:
    assert exports("bert").parity.left_out == ()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        EngineError("ONNX Runtime failed to run the model (std::bad_alloc)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
    ids=str,
)
def test_a_lack_of_memory_is_one_clear_line(error: Exception) -> None:
    with (
        pytest.raises(ExportError, match="not enough memory for this export; a smaller `max_length`") as refusal,
        memory_named(),
    ):
        raise error
    assert "\n" not in str(refusal.value)


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="another"), memory_named():
        raise ValueError("another")
