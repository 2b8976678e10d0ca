"""The GRU: its checkpoint files, its two readings, its parity with torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch
from helpers.tiny_checkpoints import tiny_tokenizer, tiny_weights, write_checkpoint

from sentiment_edge import load
from sentiment_edge.export import export_model
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families.gru_attention import GruAttention, GruAttentionConfig

if TYPE_CHECKING:
    from collections.abc import Callable

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
def test_both_readings_equal_torch(tmp_path: Path, layers: int, padding: str, length: int | None) -> None:
    weights = tiny_weights(n_layers=layers)
    checkpoint = write_checkpoint(tmp_path / "tiny", weights, n_layers=layers, hidden_dim=20)
    report = export_model(str(checkpoint), output=tmp_path / "out", padding=padding)  # type: ignore[arg-type]
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


def test_the_graph_is_one_gru_node_with_lengths_and_symbolic_axes(tiny: Path, tmp_path: Path) -> None:
    report = export_model(str(tiny), output=tmp_path / "out")
    graph = onnx.load(report.bundle.root / "onnx" / "model.onnx").graph
    (gru,) = (node for node in graph.node if node.op_type == "GRU")
    assert gru.input[4]
    assert [[dim.dim_param for dim in value.type.tensor_type.shape.dim] for value in graph.input] == [["batch", "length"]] * 2
    assert [value.name for value in graph.output] == ["logits", "attention"]
    assert not any(part.metadata_props or part.doc_string for part in (*graph.node, *graph.input, graph))


def test_labels_come_from_the_config(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(
        tmp_path / "tiny", tiny_weights(output_dim=3), id2label={"0": "bad", "1": "so-so", "2": "good"}
    )
    report = export_model(str(checkpoint), output=tmp_path / "out")
    assert report.bundle.manifest.labels == ("bad", "so-so", "good")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["label2id"] == {"bad": 0, "so-so": 1, "good": 2}


@pytest.mark.parametrize(
    "prefix", ["model.", "classifier.", "sentiment_classifier.", "base_model.", "module.", "module.model."]
)
@pytest.mark.parametrize("container", [None, "state_dict", "model_state_dict"])
def test_prefixes_and_containers(
    saved_as: Callable[[object], Path], tmp_path: Path, prefix: str, container: str | None
) -> None:
    weights = tiny_weights()
    prefixed = {prefix + name: tensor for name, tensor in weights.items()}
    folder = saved_as({container: prefixed, "epoch": 3} if container else prefixed)
    export_model(str(folder), output=tmp_path / "out")
    assert np.abs(load(tmp_path / "out").logits(TEXTS) - reference(weights)).max() <= 1e-4


def test_half_precision_weights_are_read(tmp_path: Path) -> None:
    weights = {name: tensor.half() for name, tensor in tiny_weights().items()}
    export_model(str(write_checkpoint(tmp_path / "tiny", weights)), output=tmp_path / "out")
    expected = reference({name: tensor.float() for name, tensor in weights.items()})
    assert np.abs(load(tmp_path / "out").logits(TEXTS) - expected).max() <= 1e-4


def test_without_a_config_the_tensors_tell(tiny: Path, tmp_path: Path) -> None:
    (tiny / "config.json").unlink()
    assert export_model(str(tiny), output=tmp_path / "out").bundle.manifest.labels == ("negative", "positive")


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
        ({"model_type": "llama"}, r"unknown architecture \(llama\); known are ElectraClassifier"),
    ],
)
def test_a_config_that_contradicts_is_named(tmp_path: Path, config: dict[str, object], message: str) -> None:
    refused(write_checkpoint(tmp_path / "tiny", tiny_weights(), **config), tmp_path / "out", message)


def test_a_vocabulary_larger_than_the_embedding(tiny: Path, tmp_path: Path) -> None:
    tiny_tokenizer([*map(str, range(100))]).save(str(tiny / "tokenizer.json"))
    refused(tiny, tmp_path / "out", "has token 103, the embedding 22 rows")


def test_a_tokenizer_without_special_tokens(tiny: Path, tmp_path: Path) -> None:
    path = tiny / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "post_processor": None}))
    refused(tiny, tmp_path / "out", "adds 0 special tokens")


def test_a_tokenizer_that_does_not_work(tiny: Path, tmp_path: Path) -> None:
    path = tiny / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["unk_token"] = "[NOPE]"
    path.write_text(json.dumps(tokenizer))
    refused(tiny, tmp_path / "out", "tokenizer.json does not work")


def test_a_tokenizer_that_adds_what_the_embedding_lacks(tiny: Path, tmp_path: Path) -> None:
    path = tiny / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["post_processor"]["sep"] = ["[SEP]", 9999]
    path.write_text(json.dumps(tokenizer))
    refused(tiny, tmp_path / "out", "has token 9999")


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


def refused(checkpoint: Path, output: Path, message: str) -> None:
    """The export ends in one named line, and nothing is written."""
    before = sorted(output.parent.iterdir())
    with pytest.raises(CheckpointError, match=message) as caught:
        export_model(str(checkpoint), output=output)
    assert "\n" not in str(caught.value)
    assert sorted(output.parent.iterdir()) == before
