"""The layouts that checkpoints of encoders are published in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer, tiny_weights, write_checkpoint
from helpers.tiny_encoders import POSITIONS, tiny_electra, tiny_model, write_electra, write_encoder
from helpers.torch_answers import logits_of_ids, open_classifier
from safetensors.torch import load_file, save_file

from sentiment_edge import load
from sentiment_edge.export import CheckpointError, export_model
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping


def put_weights(path: Path, weights: Mapping[str, torch.Tensor]) -> None:
    if path.suffix == ".bin":
        torch.save(dict(weights), path)
    else:
        save_file(dict(weights), path)


def renamed(name: str, starts: Mapping[str, str]) -> str:
    return next((new + name.removeprefix(old) for old, new in starts.items() if name.startswith(old)), name)


class TestLayouts:
    """The same model in other files gives the same answers."""

    ids = (2, 4, 6, 7, 3)

    @pytest.fixture
    def expected(self, checkpoints: dict[str, Path]) -> np.ndarray:
        return logits_of_ids(checkpoints["bert"], [*self.ids])

    def test_sharded_safetensors(self, tmp_path: Path, expected: np.ndarray) -> None:
        folder = tmp_path / "sharded"
        tiny_model("bert").save_pretrained(folder, max_shard_size="20kB")
        tiny_tokenizer().save(str(folder / "tokenizer.json"))
        shards = sorted(folder.glob("model-*.safetensors"))
        assert len(shards) > 1
        assert np.abs(logits_of_ids(folder, [*self.ids]) - expected).max() <= 1e-5
        shards[1].unlink()
        with pytest.raises(CheckpointError, match=rf"missing shards: {shards[1].name}"):
            open_classifier(folder)

    def test_a_pickle_with_old_names_beside_what_training_leaves(self, tmp_path: Path, expected: np.ndarray) -> None:
        folder = write_encoder(tmp_path / "pickled", tiny_model("bert"))
        (folder / "model.safetensors").unlink()
        (folder / "optimizer.pt").write_bytes(b"not read")
        weights = tiny_model("bert").state_dict()
        old = {name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): w for name, w in weights.items()}
        torch.save({**old, "bert.embeddings.position_ids": torch.arange(POSITIONS)[None]}, folder / "pytorch_model.bin")
        assert np.abs(logits_of_ids(folder, [*self.ids]) - expected).max() <= 1e-5

    @pytest.mark.parametrize(
        "prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "model._orig_mod."]
    )
    @pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
    def test_names_of_what_wrapped_the_model(self, tmp_path: Path, expected: np.ndarray, name: str, prefix: str) -> None:
        folder = write_encoder(tmp_path / "wrapped", tiny_model("bert"))
        (folder / "model.safetensors").unlink()
        put_weights(folder / name, {f"{prefix}{key}": tensor for key, tensor in tiny_model("bert").state_dict().items()})
        assert np.abs(logits_of_ids(folder, [*self.ids]) - expected).max() <= 1e-5

    def test_names_of_what_wrapped_a_part(self, tmp_path: Path, expected: np.ndarray) -> None:
        folder = write_encoder(tmp_path / "wrapped", tiny_model("bert"))
        inner = {"bert.encoder.": "bert.encoder._orig_mod.", "classifier.": "classifier._fsdp_wrapped_module."}
        weights = tiny_model("bert").state_dict()
        put_weights(folder / "model.safetensors", {renamed(key, inner): tensor for key, tensor in weights.items()})
        assert np.abs(logits_of_ids(folder, [*self.ids]) - expected).max() <= 1e-5

    @pytest.mark.parametrize("prefix", ["", "module.", "model.", "_orig_mod.model."])
    def test_a_wrapper_that_is_named_as_the_model_below(self, tmp_path: Path, prefix: str) -> None:
        folder = write_encoder(tmp_path / "modern", tiny_model("modernbert"))
        expected = logits_of_ids(folder, [*self.ids])
        weights = {f"{prefix}{key}": tensor for key, tensor in tiny_model("modernbert").state_dict().items()}
        put_weights(folder / "model.safetensors", weights)
        assert np.abs(logits_of_ids(folder, [*self.ids]) - expected).max() <= 1e-5

    def test_names_that_would_become_one_stay(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "twice", tiny_model("bert"))
        weights = tiny_model("bert").state_dict()
        put_weights(folder / "model.safetensors", {**weights, "_orig_mod.classifier.bias": weights["classifier.bias"].clone()})
        with pytest.raises(CheckpointError, match=r"unexpected: _orig_mod\.classifier\.bias"):
            open_classifier(folder)

    @pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "module._orig_mod."])
    def test_every_family_may_have_been_wrapped(self, tmp_path: Path, wrapper: str) -> None:
        gru = write_checkpoint(tmp_path / "gru", tiny_weights())
        electra = write_electra(tmp_path / "electra", tiny_electra())
        for folder in (gru, electra):
            expected = logits_of_ids(folder, [*self.ids])
            weights = load_file(folder / "model.safetensors")
            put_weights(folder / "model.safetensors", {f"{wrapper}{key}": tensor for key, tensor in weights.items()})
            assert np.abs(logits_of_ids(folder, [*self.ids]) - expected).max() <= 1e-5

    def test_safetensors_of_another_name(self, tmp_path: Path, expected: np.ndarray) -> None:
        folder = write_encoder(tmp_path / "named", tiny_model("bert"))
        (folder / "model.safetensors").rename(folder / "model.fp16.safetensors")
        (folder / "optimizer.bin").write_bytes(b"not read")
        (folder / "rng_state_1.pth").write_bytes(b"not read")
        assert np.abs(logits_of_ids(folder, [*self.ids]) - expected).max() <= 1e-5

    @pytest.mark.parametrize("stated", [None, []])
    def test_a_config_without_architectures(self, tmp_path: Path, expected: np.ndarray, stated: list[str] | None) -> None:
        folder = write_encoder(tmp_path / "unnamed", tiny_model("bert"))
        config = json.loads((folder / "config.json").read_text("utf-8"))
        (folder / "config.json").write_text(json.dumps({**config, "architectures": stated}), "utf-8")
        assert np.abs(logits_of_ids(folder, [*self.ids]) - expected).max() <= 1e-5

    def test_only_the_older_files_of_a_tokenizer(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "slow", tiny_model("bert"))
        (folder / "tokenizer.json").unlink()
        (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in [*SPECIAL, *PIECES]), "utf-8")
        assert find_checkpoint(str(folder)).tokenizer.library.encode("the film").ids == tiny_tokenizer().encode("the film").ids
        (folder / "vocab.txt").unlink()
        with pytest.raises(CheckpointError, match=r"no tokenizer\.json"):
            open_classifier(folder)

    def test_padding_and_truncation_in_the_tokenizer_have_no_effect(self, tmp_path: Path) -> None:
        baked = tiny_tokenizer()
        baked.enable_padding(length=30)
        baked.enable_truncation(4)
        folder = write_encoder(tmp_path / "baked", tiny_model("bert"), baked)
        report = export_model(str(folder), output=tmp_path / "out")
        text = "the film was good and the day was long"
        expected = logits_of_ids(folder, tiny_tokenizer().encode(text).ids)
        assert np.abs(load(report.bundle.root).logits([text])[0] - expected).max() <= 1e-4
