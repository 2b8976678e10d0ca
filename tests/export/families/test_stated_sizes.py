"""A config that asks for far more than the weights hold is refused before anything is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.refusals import refused
from helpers.tiny_encoders import tiny_model, write_encoder

TEN_MILLION = 10**7


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("bert", {"vocab_size": 10**9}, "describes a model of 32,000,0.* numbers, the weights hold 20,322"),
        ("bert", {"hidden_size": 10**8}, "describes a model of"),
        ("bert", {"intermediate_size": 10**9}, "describes a model of"),
        ("bert", {"max_position_embeddings": 10**9}, "describes a model of"),
        ("bert", {"num_hidden_layers": TEN_MILLION}, "says num_hidden_layers 10000000, more than the weights can have"),
        ("distilbert", {"n_layers": TEN_MILLION}, "says n_layers 10000000"),
        ("bert", {"block_sizes": [4, TEN_MILLION]}, r"says block_sizes \[4, 10000000\]"),
        ("bert", {"num_labels": 10**9, "id2label": None}, "says num_labels 1000000000"),
        ("distilbert", {"sinusoidal_pos_embds": True, "max_position_embeddings": 10**9}, "describes a model of"),
    ],
)
def test_a_config_that_asks_for_too_much(tmp_path: Path, kind: str, changes: dict[str, Any], reason: str) -> None:
    folder = write_encoder(tmp_path / "model", tiny_model(kind))
    stated = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**stated, "model_type": kind, **changes}))
    refused(folder, tmp_path / "out", reason)
