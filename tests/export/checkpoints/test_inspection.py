"""`models --inspect`: the tensors of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from helpers import burn_writer
from helpers.invocation import invoke
from helpers.tiny_checkpoints import PIECES, SPECIAL

if TYPE_CHECKING:
    from collections.abc import Callable

TENSORS = burn_writer.tiny_tensors(vocabulary=len(SPECIAL) + len(PIECES))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("model.mpk", "16 x 24"), ("model.bpk", "16 x 24"), ("model.safetensors", "16 x 24")],
)
def test_a_file_s_tensors(tmp_path: Path, name: str, shape: str) -> None:
    path = tmp_path / name
    path.write_bytes(burn_writer.FORMATS[name](TENSORS))
    done = invoke("models", "--inspect", path)
    assert done.returncode == 0, done.stderr.decode()
    lines = [line.split(maxsplit=2) for line in done.stdout.decode().splitlines()]
    assert len(lines) == len(TENSORS)
    assert ["transformer.layers.0.pwff.linear_inner.weight", "float32", shape] in lines
    rows = json.loads(invoke("models", "--inspect", path, "--json").stdout)
    assert {row["name"]: tuple(row["shape"]) for row in rows} == {name: array.shape for name, array in TENSORS.items()}


def test_a_file_of_torch(saved_as: Callable[[object], Path]) -> None:
    folder = saved_as({"a.weight": torch.zeros(2, 3, dtype=torch.bfloat16)})
    assert invoke("models", "--inspect", folder / "last.pth").stdout == b"a.weight  bfloat16  2 x 3\n"


@pytest.mark.parametrize(("contents", "reason"), [(b"text", b"not a record of Burn"), (None, b"No such file")])
def test_another_file(tmp_path: Path, contents: bytes | None, reason: bytes) -> None:
    path = tmp_path / "file"
    if contents is not None:
        path.write_bytes(contents)
    done = invoke("models", "--inspect", path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert reason in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("name", "contents", "kind"),
    [
        ("model.gguf", b"GGUF\x03\0\0\0", b"weights in GGUF"),
        ("tf_model.h5", b"\x89HDF\r\n\x1a\n", b"an HDF5 file"),
        ("model.onnx", b"\x08\x07\x12\x07pytorch", b"a model in ONNX"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\n", b"run git lfs pull"),
        ("pytorch_model.bin", b"<!DOCTYPE html><html>", b"a web page"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(tmp_path: Path, name: str, contents: bytes, kind: bytes) -> None:
    (tmp_path / name).write_bytes(contents)
    done = invoke("models", "--inspect", tmp_path / name)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert kind in done.stderr
    assert b"Burn" not in done.stderr
