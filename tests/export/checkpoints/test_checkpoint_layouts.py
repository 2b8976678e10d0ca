"""The layouts that checkpoints of encoders are published in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer
from helpers.tiny_encoders import POSITIONS, tiny_model, write_encoder
from helpers.torch_answers import logits_of_ids, open_classifier

from sentiment_edge import load
from sentiment_edge.export import CheckpointError, export_model
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint


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
