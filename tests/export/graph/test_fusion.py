"""Attention as one node: where it can be, and where not, with the same answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers.exports import Exports
from helpers.invocation import invoke
from helpers.tiny_encoders import LAYERS, tiny_model, write_encoder

from sentiment_edge import load
from sentiment_edge.export import ExportError, export_model
from sentiment_edge_export.families import transformers_encoder as encoders
from sentiment_edge_runtimes.vocabulary import ENGINES


@pytest.mark.parametrize("model_type", ["deberta-v2", "mpnet"])
def test_relative_positions_are_exported_unfused_and_said_to_be(
    tmp_path: Path, model_type: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_encoder(
        tmp_path / model_type, tiny_model(model_type, **({"pad_token_id": 1} if model_type == "mpnet" else {}))
    )
    capsys.readouterr()  # transformers shows how it saves
    report = export_model(str(folder), output=tmp_path / "out")
    assert report.parity.passed
    assert "MultiHeadAttention" not in report.bundle.manifest.nodes
    assert f"the attention of a {model_type} model cannot be one node" in report.notes[0]
    assert capsys.readouterr().err == "", "a library remarks on what it does inside"


def test_q_k_and_v_lose_their_reshapes_and_give_their_biases_to_the_attention(exports: Exports) -> None:
    exported = exports("bert", engines=ENGINES)
    graph = onnx.load(exported.bundle.root / "onnx" / "model.onnx").graph
    attentions = [node for node in graph.node if node.op_type == "MultiHeadAttention"]
    assert [bool(node.input[3]) for node in attentions] == [True] * LAYERS
    assert all(node.op_type != "Reshape" for node in graph.node)


def test_without_fusion_the_answers_are_the_same(checkpoints: dict[str, Path], tmp_path: Path, exports: Exports) -> None:
    done = invoke("export", "--model", checkpoints["bert"], "--no-fusion", "--output", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert "MultiHeadAttention" not in json.loads(done.stdout)["nodes"]
    texts = ["good film", "not a good film, it was long and bad"]
    fused = load(exports("bert", engines=ENGINES).bundle.root, engine="onnxruntime")
    difference = load(tmp_path / "out").logits(texts) - fused.logits(texts)
    assert np.abs(difference).max() <= 1e-5


def test_a_missing_node_fails_the_export(checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "fused_twin", lambda module, *_: module)
    with pytest.raises(ExportError, match="the graph has 0 MultiHeadAttention nodes instead of 2"):
        export_model(str(checkpoints["bert"]), output=tmp_path / "out")
    assert not list(tmp_path.iterdir())
