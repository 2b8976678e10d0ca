"""The ELECTRA classifier: its pooling and its head to the letter, its files as they are published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from helpers.tiny_encoders import LAYERS, electra_weights, tiny_electra, write_electra
from helpers.torch_answers import logits_of_ids
from torch import nn

from sentiment_edge import load
from sentiment_edge.export import CheckpointError, export_model

if TYPE_CHECKING:
    from torch import Tensor

IDS = torch.tensor([2, 4, 6, 7, 5, 3])


def logits_of(folder: Path) -> np.ndarray:
    return logits_of_ids(folder, IDS.tolist())


def by_hand(pooling: str) -> Tensor:
    """The head of two SwishGLU layers on pooled states, written out from the definition."""
    module = tiny_electra(pooling)
    weights = {name: tensor.detach() for name, tensor in module.named_parameters(remove_duplicate=False)}
    with torch.no_grad():
        states = module.electra(input_ids=IDS[None]).last_hidden_state[0]
    x = {"mean": states.mean(0), "cls": states[0], "max": states.max(0).values}[pooling]
    for layer in (0, 3):
        x = weights[f"classifier.layers.{layer}.weight"] @ x + weights[f"classifier.layers.{layer}.bias"]
        both = weights["classifier.layers.1.projection.weight"] @ x + weights["classifier.layers.1.projection.bias"]
        x = both[: len(x)] * both[len(x) :] * torch.sigmoid(both[len(x) :])
    logits: Tensor = weights["classifier.layers.6.weight"] @ x + weights["classifier.layers.6.bias"]
    return logits


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_each_pooling_to_the_letter(tmp_path: Path, pooling: str) -> None:
    folder = write_electra(tmp_path / "electra", tiny_electra(pooling))
    assert np.abs(logits_of(folder) - by_hand(pooling).numpy()).max() <= 1e-5


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_the_bundle_gives_torchs_answers(tmp_path: Path, pooling: str) -> None:
    report = export_model(str(write_electra(tmp_path / "electra", tiny_electra(pooling))), output=tmp_path / "out")
    assert report.bundle.manifest.family == "electra-classifier"
    assert report.bundle.manifest.nodes == {"LayerNormalization": 2 * LAYERS + 1, "Gelu": LAYERS, "MultiHeadAttention": LAYERS}
    assert load(report.bundle.root).labels == ("negative", "neutral", "positive")


class TestFiles:
    @pytest.fixture
    def expected(self, tmp_path: Path) -> np.ndarray:
        return logits_of(write_electra(tmp_path / "published", tiny_electra()))

    def test_the_second_name_of_the_activation_may_be_missing_or_there(self, tmp_path: Path, expected: np.ndarray) -> None:
        published = electra_weights(tiny_electra())
        assert not any("layers.4" in name for name in published)
        both = {name: tensor.clone() for name, tensor in tiny_electra().state_dict().items()}
        assert any("layers.4" in name for name in both)
        assert np.abs(logits_of(write_electra(tmp_path / "both", tiny_electra(), both)) - expected).max() <= 1e-5
        second = {name.replace("layers.1.", "layers.4."): tensor for name, tensor in published.items()}
        assert np.abs(logits_of(write_electra(tmp_path / "second", tiny_electra(), second)) - expected).max() <= 1e-5

    def test_two_names_with_different_tensors_are_refused(self, tmp_path: Path) -> None:
        both = {name: tensor.clone() for name, tensor in tiny_electra().state_dict().items()}
        both["classifier.layers.4.projection.bias"] += 1
        with pytest.raises(CheckpointError, match=r"layers\.4\.projection\.bias differs from its twin"):
            logits_of(write_electra(tmp_path / "torn", tiny_electra(), both))

    def test_a_checkpoint_of_training(self, tmp_path: Path, expected: np.ndarray) -> None:
        folder = write_electra(tmp_path / "training", tiny_electra())
        (folder / "model.safetensors").unlink()
        state = {name.replace("electra.", "bert.", 1): tensor for name, tensor in tiny_electra().state_dict().items()}
        torch.save({"epoch": 3, "model_state_dict": state, "optimizer_state_dict": {}}, folder / "epoch_3.pth")
        assert np.abs(logits_of(folder) - expected).max() <= 1e-5


@pytest.mark.parametrize(
    ("layers", "dropout", "name"), [(1, True, "GELU"), (2, False, "Tanh"), (3, True, "PReLU"), (3, False, "SwishGLU")]
)
def test_depth_dropout_and_activation_come_from_the_config(tmp_path: Path, layers: int, *, dropout: bool, name: str) -> None:
    activation = None if name == "SwishGLU" else getattr(nn, name)()
    module = tiny_electra(activation=activation, layers=layers, dropout=dropout)
    stated: dict[str, Any] = {"num_layers": layers, "dropout_rate": 0.3 if dropout else 0.0, "hidden_activation": name}
    folder = write_electra(tmp_path / "electra", module, **stated)
    with torch.no_grad():
        expected = module(IDS[None], torch.ones_like(IDS)[None])[0].numpy()
    assert np.abs(logits_of(folder) - expected).max() <= 1e-5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pooling": "sum"}, "pooling 'sum'; known are mean, cls and max"),
        ({"pooling": None}, "config.json needs pooling"),
        ({"hidden_activation": "Linear"}, "hidden_activation 'Linear' is neither SwishGLU nor one of torch.nn"),
        ({"hidden_activation": "Threshold"}, "hidden_activation 'Threshold' is neither"),
        ({"dropout_rate": 0}, r"no classifier\.layers\.4\.weight in the weights, where num_layers 2 and dropout_rate 0"),
        ({"dropout_rate": None}, "config.json needs dropout_rate"),
        ({"hidden_dim": 25}, r"classifier\.layers\.0\.weight \[24, 32\] instead of \[25, 32\]"),
        ({"num_layers": 3}, r"no classifier\.layers\.9\.weight"),
        ({"num_hidden_layers": 3}, r"missing: encoder\.layer\.2"),
        ({"id2label": {"0": "negative", "1": "positive"}}, "2 different labels for 3 classes"),
    ],
)
def test_a_config_that_contradicts_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        logits_of(write_electra(tmp_path / "electra", tiny_electra(), **changes))
