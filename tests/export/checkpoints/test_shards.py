"""Weights in several files, and the index that names them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sentiment_edge.export import CheckpointError
from sentiment_edge_export.checkpoints.weights import read_weights

INDEX = "model.safetensors.index.json"


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    save_file({"a": torch.ones(2)}, tmp_path / "1.safetensors")
    save_file({"b": torch.zeros(2), "c": torch.ones(1)}, tmp_path / "2.safetensors")
    return tmp_path


def index(folder: Path, contents: Any) -> None:
    text = contents if isinstance(contents, bytes) else json.dumps(contents).encode()
    (folder / INDEX).write_bytes(text)


def test_shards_are_read_together(sharded: Path) -> None:
    index(sharded, {"metadata": {}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "2.safetensors"}})
    assert {name: tensor.tolist() for name, tensor in read_weights(sharded).items()} == {"a": [1, 1], "b": [0, 0], "c": [1]}


def test_pickled_shards(sharded: Path) -> None:
    torch.save({"a": torch.ones(2)}, sharded / "1.bin")
    (sharded / "pytorch_model.bin.index.json").write_text('{"weight_map": {"a": "1.bin"}}')
    assert [*read_weights(sharded)] == ["a"]


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ([], "not a JSON object"),
        ({}, "not an index of shards"),
        ({"weight_map": []}, "not an index of shards"),
        ({"weight_map": {}}, "not an index of shards"),
        ({"weight_map": {"a": 1}}, "not an index of shards"),
        ({"weight_map": {"a": ["1.safetensors"]}}, "not an index of shards"),
        ({"weight_map": {"a": "../1.safetensors"}}, "outside its folder"),
        ({"weight_map": {"a": "/1.safetensors"}}, "outside its folder"),
        ({"weight_map": {"a": "x/\x1b[31m\n.safetensors"}}, "outside its folder"),
        ({"weight_map": {"a": ".."}}, "outside its folder|missing shards"),
        ({"weight_map": {"a": ""}}, "missing shards"),
        ({"weight_map": {"a": "3.safetensors"}}, "missing shards: 3.safetensors"),
        ({"weight_map": {"a": "x" * 5000 + ".safetensors"}}, "missing shards: 'x"),
        ({"weight_map": {"a": "nul\0.safetensors"}}, "missing shards: 'nul"),
        ({"weight_map": {"a": INDEX}}, "damaged or not a torch file"),
        ({"weight_map": {"a": "2.safetensors"}}, "2.safetensors: lacks a, which the index puts there"),
        ({"weight_map": {f"t\n{n}": "1.safetensors" for n in range(9)}}, r"lacks 't\\n0', .* and 5 more"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"weight_map":' * 100_000, "nested too deeply"),
        (b'{"weight_map": {"a": "1.safetensors", "a": "2.safetensors"}}', "the key 'a' occurs twice"),
        (b'{"weight_map": {"a": "1.saf', "not readable as JSON"),
        (b"\xff\xfe", "not readable as JSON"),
        (b" " * 64 * 2**20, "larger than 8 MiB"),
        (b'{"weight_map": {"a": "\\ud800.safetensors"}}', "not readable as JSON"),
        (b'{"weight_map": ' + b"9" * 5000 + b"}", "not readable as JSON"),
    ],
)
def test_an_index_that_cannot_be_used(sharded: Path, contents: Any, reason: str) -> None:
    index(sharded, contents)
    with pytest.raises(CheckpointError, match=reason) as caught:
        read_weights(sharded)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_a_tensor_in_two_shards(sharded: Path) -> None:
    save_file({"a": torch.zeros(2), "b": torch.zeros(2)}, sharded / "2.safetensors")
    index(sharded, {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})
    with pytest.raises(CheckpointError, match=r"2\.safetensors: a are in another shard too"):
        read_weights(sharded)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "best.pt", INDEX, "1.safetensors"])
def test_a_pipe_is_not_waited_for(sharded: Path, name: str) -> None:
    index(sharded, {"weight_map": {"a": "1.safetensors"}})
    (sharded / name).unlink(missing_ok=True)
    if not name.startswith(("1", "model.safetensors.index")):
        (sharded / INDEX).unlink()
    os.mkfifo(sharded / name)
    with pytest.raises(CheckpointError, match=r"several weight files|missing shards"):
        read_weights(sharded)
