"""Weight files with bits flipped, cut off or mixed up: they are read, or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from sentiment_edge.export import CheckpointError
from sentiment_edge_export.checkpoints.inspection import list_tensors
from sentiment_edge_export.checkpoints.weights import read_weights

TENSORS = {
    "a.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "b": torch.ones(3).half(),
    "c": torch.ones(2, dtype=torch.uint16),
}


def saved(folder: Path, *, old: bool) -> bytes:
    tensors = {name: tensor for name, tensor in TENSORS.items() if not old or name != "c"}
    torch.save(tensors, folder / "saved", _use_new_zipfile_serialization=not old)
    return (folder / "saved").read_bytes()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    index = {"metadata": {"total_size": 30}, "weight_map": dict.fromkeys(TENSORS, "1.safetensors")}
    return {
        "pytorch_model.bin": saved(folder, old=False),
        "model.pt": saved(folder, old=True),
        "model.safetensors": save(TENSORS),
        "model.safetensors.index.json": json.dumps(index).encode(),
    }


@st.composite
def damage(draw: st.DrawFn) -> list[tuple[str, float, int]]:
    kinds = st.sampled_from(["flip", "flip", "byte", "word", "cut", "drop", "repeat"])
    return draw(st.lists(st.tuples(kinds, st.floats(0, 1), st.integers(0, 2**32 - 1)), min_size=1, max_size=6))


def damaged(data: bytes, steps: list[tuple[str, float, int]]) -> bytes:
    changed = bytearray(data)
    for kind, where, value in steps:
        at = min(int(where * len(changed)), max(len(changed) - 1, 0))
        if kind == "flip" and changed:
            changed[at] ^= 1 << value % 8
        elif kind == "byte" and changed:
            changed[at] = value % 256
        elif kind == "word":
            changed[at : at + 4] = value.to_bytes(4, "little")
        elif kind == "cut":
            del changed[at:]
        elif kind == "drop":
            del changed[at : at + 1 + value % 40]
        else:
            changed[at:at] = changed[at : at + 1 + value % 40]
    return bytes(changed)


def refusals(folder: Path, name: str, data: bytes) -> Iterator[CheckpointError]:
    """Read a file in all ways, and yield the errors; any other error goes through."""
    for path in folder.iterdir():
        path.unlink()
    if name.endswith(".index.json"):
        (folder / "1.safetensors").write_bytes(save(TENSORS))
    (folder / name).write_bytes(data)
    for read in (lambda: read_weights(folder), lambda: list_tensors(folder / name)):
        try:
            read()
        except CheckpointError as error:
            yield error


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.safetensors", "model.safetensors.index.json"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=damage())
def test_a_damaged_file_is_read_or_refused(
    sound: dict[str, bytes], tmp_path: Path, name: str, steps: list[tuple[str, float, int]]
) -> None:
    for error in refusals(tmp_path, name, damaged(sound[name], steps)):
        assert "\n" not in str(error)
        assert len(str(error)) < 1000


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.safetensors", "model.safetensors.index.json"])
def test_a_file_cut_anywhere_is_refused(sound: dict[str, bytes], tmp_path: Path, name: str) -> None:
    data = sound[name]
    for end in range(0, len(data), max(1, len(data) // 60)):
        refused = [*refusals(tmp_path, name, data[:end])]
        assert refused, end


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"\xff" * 8, "damaged or not safetensors"),
        ((2**40).to_bytes(8, "little"), "damaged or not safetensors"),
        ({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 2**40]}}, "damaged or not safetensors"),
        ({"a": {"dtype": "F32", "shape": [2**62], "data_offsets": [0, 16]}}, "damaged or not safetensors"),
        ({"a": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}}, "damaged or not safetensors"),
        ({"a": {"dtype": "F32", "shape": [4], "data_offsets": [4, 20]}}, "damaged or not safetensors"),
        (
            {
                "a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
                "b": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
            },
            "damaged or not safetensors",
        ),
        ({"a": {"dtype": "F33", "shape": [4], "data_offsets": [0, 16]}}, "damaged or not safetensors"),
        ({"a": {"dtype": "F4", "shape": [32], "data_offsets": [0, 16]}}, "a |damaged or not safetensors"),
        ({"a": {"dtype": "F6_E2M3", "shape": [64], "data_offsets": [0, 48]}}, "a |damaged or not safetensors"),
        ({"a": {"dtype": "F32", "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]}}, "damaged or not safetensors"),
        (b"[" * 100_000, "damaged or not safetensors"),
        (b" " * (8 * 2**20 + 1), "claims a header of 8388609 bytes"),
    ],
)
def test_a_forged_header(tmp_path: Path, header: object, reason: str) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    start = text[:8] if text in (b"\xff" * 8, (2**40).to_bytes(8, "little")) else len(text).to_bytes(8, "little") + text
    (tmp_path / "model.safetensors").write_bytes(start + bytes(48 if b"F6" in text else 16))
    with pytest.raises(CheckpointError, match=reason) as caught:
        read_weights(tmp_path)
    assert "\n" not in str(caught.value)
