"""The GRU: its checkpoint files, its two readings, its parity with torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from helpers.refusals import refused
from helpers.tiny_checkpoints import tiny_tokenizer, tiny_weights, write_checkpoint
from helpers.torch_answers import logits_of_texts, open_classifier

from sentiment_edge import load
from sentiment_edge.export import GraphOptions, export_model
from sentiment_edge_export.families.gru_attention import GruAttention, GruAttentionConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge_runtimes.vocabulary import PaddingChoice

TEXTS = ["", "good", "the film was not bad!", "it was a long long day, and not a good film. " * 3, "good " * 200]


def reference(weights: dict[str, torch.Tensor], *, length: int | None = None) -> np.ndarray:
    """The original definition, one text at a time, as published: nothing masked, nothing packed."""
    model = GruAttention(GruAttentionConfig.from_shapes({name: tuple(w.shape) for name, w in weights.items()}, pad_idx=0))
    model.load_state_dict(weights)
    tokenizer = tiny_tokenizer()
    tokenizer.enable_truncation(128)
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        padded = ids + [0] * ((length or 0) - len(ids))
        with torch.no_grad():
            rows.append(model.eval()(torch.tensor([padded]))[0][0].numpy())
    return np.stack(rows)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("padding", "length"), [("packed", None), ("padded", 128)])
def test_both_readings_equal_torch(tmp_path: Path, layers: int, padding: PaddingChoice, length: int | None) -> None:
    weights = tiny_weights(n_layers=layers)
    checkpoint = write_checkpoint(tmp_path / "tiny", weights, n_layers=layers, hidden_dim=20)
    report = export_model(str(checkpoint), output=tmp_path / "out", graph=GraphOptions(padding=padding))
    classifier = load(tmp_path / "out")
    expected = reference(weights, length=length)
    assert np.abs(classifier.logits(TEXTS) - expected).max() <= 1e-4
    assert np.abs(np.concatenate([classifier.logits([text]) for text in TEXTS]) - expected).max() <= 1e-4
    assert report.bundle.manifest.nodes == {"GRU": layers}
    explained = classifier.explain("good film").tokens
    assert [token.token for token in explained] == ["[CLS]", "good", "film", "[SEP]"]
    assert sum(token.weight for token in explained) == pytest.approx(1, abs=1e-5) or padding == "padded"


def test_the_two_readings_differ() -> None:
    weights = tiny_weights()
    assert np.abs(reference(weights) - reference(weights, length=128)).max() > 0.01


def test_labels_come_from_the_config(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(
        tmp_path / "tiny", tiny_weights(output_dim=3), id2label={"0": "bad", "1": "so-so", "2": "good"}
    )
    report = export_model(str(checkpoint), output=tmp_path / "out")
    assert report.bundle.manifest.labels == ("bad", "so-so", "good")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["label2id"] == {"bad": 0, "so-so": 1, "good": 2}


def test_half_precision_weights_are_read(tmp_path: Path) -> None:
    weights = {name: tensor.half() for name, tensor in tiny_weights().items()}
    expected = reference({name: tensor.float() for name, tensor in weights.items()})
    assert np.abs(logits_of_texts(write_checkpoint(tmp_path / "tiny", weights), TEXTS) - expected).max() <= 1e-4


def test_without_a_config_the_tensors_tell(tiny: Path) -> None:
    (tiny / "config.json").unlink()
    assert open_classifier(tiny).labels == ("negative", "positive")
    assert np.abs(logits_of_texts(tiny, TEXTS) - reference(tiny_weights())).max() <= 1e-4


@pytest.mark.parametrize(
    "prefix", ["model.", "classifier.", "sentiment_classifier.", "base_model.", "module.", "module.model."]
)
@pytest.mark.parametrize("container", [None, "state_dict", "model_state_dict"])
def test_prefixes_and_containers(saved_as: Callable[[object], Path], prefix: str, container: str | None) -> None:
    weights = tiny_weights()
    prefixed = {prefix + name: tensor for name, tensor in weights.items()}
    folder = saved_as({container: prefixed, "epoch": 3} if container else prefixed)
    assert np.abs(logits_of_texts(folder, TEXTS) - reference(weights)).max() <= 1e-4


def test_a_pickle_of_training_is_exported(saved_as: Callable[[object], Path], tmp_path: Path) -> None:
    weights = tiny_weights()
    folder = saved_as({"state_dict": {f"module.model.{name}": tensor for name, tensor in weights.items()}, "epoch": 3})
    export_model(str(folder), output=tmp_path / "out")
    assert np.abs(load(tmp_path / "out").logits(TEXTS) - reference(weights)).max() <= 1e-4


def change(**changes: torch.Tensor | None) -> dict[str, torch.Tensor]:
    weights = {**tiny_weights(), **{name.replace("__", "."): tensor for name, tensor in changes.items()}}
    return {name: tensor for name, tensor in weights.items() if tensor is not None}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (change(fc1__bias=None), "missing: fc1.bias"),
        (change(embedding__weight=None), "missing: embedding.weight"),
        (change(gru__weight_ih_l0_reverse=None), "missing: gru.weight_ih_l0_reverse"),
        (change(fc9__weight=torch.zeros(2)), "unexpected: fc9.weight"),
        (change(aux_embedding__weight=torch.zeros(2)), "unexpected: aux_embedding.weight"),
        (change(fc1__bias=torch.zeros(24, dtype=torch.int8)), "not floating point: fc1.bias"),
        (change(fc1__bias=torch.zeros(7)), r"wrongly shaped: fc1.bias \[7\] instead of \[24\]"),
        (change(embedding__weight=torch.zeros(5)), "do not fit"),
        (change(gru__weight_hh_l0=torch.zeros(0, 0)), "gru.weight_hh_l0 is empty"),
        (change(fc1__bias=torch.full((24,), torch.nan)), "fc1.bias holds NaN or infinite"),
        (change(fc2__bias=torch.tensor([torch.inf, 0])), "fc2.bias holds NaN or infinite"),
    ],
)
def test_wrong_tensors_are_named(tmp_path: Path, weights: dict[str, torch.Tensor], message: str) -> None:
    checkpoint = write_checkpoint(tmp_path / "tiny", weights)
    refused(checkpoint, tmp_path / "out", message)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"vocab_size": 99}, "vocab_size 99, the weights 22"),
        ({"hidden_dim": 8}, "hidden_dim 8, the weights 20"),
        ({"n_layers": 2}, "n_layers 2, the weights 1"),
        ({"bidirectional": False}, "bidirectional"),
        ({"pad_idx": 22}, "pad_idx 22"),
        ({"pad_idx": "x"}, "pad_idx 'x'"),
        ({"pad_idx": None}, "pad_idx None"),
        ({"id2label": {"0": "one"}}, "1 different labels for 2 classes"),
        ({"id2label": {"0": "same", "1": "same"}}, "1 different labels for 2 classes"),
        ({"id2label": {"1": "a", "2": "b"}}, "must map 0, 1"),
        ({"id2label": ["a", "b"]}, "must map 0, 1"),
        ({"model_type": "llama"}, "llama is a decoder here"),
    ],
)
def test_a_config_that_contradicts_is_named(tmp_path: Path, config: dict[str, object], message: str) -> None:
    refused(write_checkpoint(tmp_path / "tiny", tiny_weights(), **config), tmp_path / "out", message)
