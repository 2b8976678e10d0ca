"""Files of weights, config and tokenizer: what is missing, damaged or more than data is named, and never run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from helpers.refusals import refused
from helpers.tiny_checkpoints import tiny_weights, write_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable


def test_half_a_surrogate_pair_in_a_label(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "tiny", tiny_weights(), id2label={"0": "\ud83d", "1": "good"})
    refused(checkpoint, tmp_path / "out", "config.json: not readable as JSON")


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run by a pickle",)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (Payload(), "holds more than tensors"),
        ([1, 2], "holds a list instead of named tensors"),
        ({"epoch": 3}, "holds no tensors"),
        ({"fc1.bias": torch.zeros(4).to_sparse()}, "fc1.bias is not a plain tensor"),
        ({"fc1.bias": torch.zeros(1, 1).expand(10**9, 12)}, "fc1.bias holds fewer numbers than its shape"),
    ],
)
def test_pickles_that_are_not_just_tensors(
    saved_as: Callable[[object], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str], contents: object, message: str
) -> None:
    refused(saved_as(contents), tmp_path / "out", message)
    assert "run by a pickle" not in capfd.readouterr().out


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def scrambled(path: Path) -> None:
    path.write_bytes(b"\x80" * 4000)


@pytest.mark.parametrize("damage", [empty, cut, scrambled])
@pytest.mark.parametrize("name", ["model.safetensors", "last.pth", "tokenizer.json", "config.json"])
def test_damaged_files_are_named(
    saved_as: Callable[[object], Path], tiny: Path, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    folder = saved_as(tiny_weights()) if name == "last.pth" else tiny
    damage(folder / name)
    refused(folder, tmp_path / "out", name)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_missing_files_are_named(tiny: Path, tmp_path: Path, name: str) -> None:
    (tiny / name).unlink()
    refused(tiny, tmp_path / "out", name)


def test_several_weight_files_are_no_guess(saved_as: Callable[[object], Path], tmp_path: Path) -> None:
    folder = saved_as(tiny_weights())
    torch.save({}, folder / "best.pth")
    refused(folder, tmp_path / "out", r"several weight files \(best.pth, last.pth\)")
