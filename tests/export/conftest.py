"""Checkpoints to export, and exports that several tests share."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch", reason="needs the extra export")

from helpers import burn_writer  # noqa: E402
from helpers.exports import Exports  # noqa: E402
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer, tiny_weights, write_checkpoint  # noqa: E402
from helpers.tiny_encoders import tiny_model, write_encoder  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

gc.collect()
gc.freeze()  # torch and its kin are a million objects; tracing makes the collector walk over them again and again


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A checkpoint folder of a GRU, to damage."""
    return write_checkpoint(tmp_path / "tiny", tiny_weights())


@pytest.fixture
def saved_as(tmp_path: Path) -> Callable[[object], Path]:
    """Write a checkpoint whose weights are what torch.save makes of an object."""

    def write(contents: object) -> Path:
        folder = write_checkpoint(tmp_path / "pickled", tiny_weights())
        (folder / "model.safetensors").unlink()
        torch.save(contents, folder / "last.pth")
        return folder

    return write


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders that stay as they are: a GRU of two layers, BERT, a Burn transformer."""
    folder = tmp_path_factory.mktemp("checkpoints")
    burn = burn_writer.tiny_tensors(vocabulary=len(SPECIAL) + len(PIECES))
    made = {
        "gru": write_checkpoint(folder / "gru", tiny_weights(n_layers=2), n_layers=2, hidden_dim=20),
        "bert": write_encoder(folder / "bert", tiny_model("bert")),
        "burn": burn_writer.write_model(folder / "burn", burn_writer.messagepack(burn)),
    }
    tiny_tokenizer().save(str(folder / "burn" / "tokenizer.json"))
    return made


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory, checkpoints: dict[str, Path]) -> Exports:
    return Exports(tmp_path_factory.mktemp("exports"), checkpoints)
