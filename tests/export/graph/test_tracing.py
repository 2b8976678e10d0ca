"""Traced graphs: their axes, and what the tracing leaves behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers.exports import Exports
from helpers.tiny_checkpoints import tiny_tokenizer
from helpers.tiny_encoders import POSITIONS
from helpers.torch_answers import logits_of_ids

from sentiment_edge import load
from sentiment_edge.export import ExportReport, GraphOptions, export_model
from sentiment_edge_runtimes.errors import OptionError
from sentiment_edge_runtimes.vocabulary import ENGINES, EngineName


def test_a_gru_of_two_layers_is_two_nodes_with_lengths_and_symbolic_axes(exports: Exports) -> None:
    report = exports("gru", engines=ENGINES)
    graph = onnx.load(report.bundle.root / "onnx" / "model.onnx").graph
    layers = [node for node in graph.node if node.op_type == "GRU"]
    assert [bool(layer.input[4]) for layer in layers] == [True, True]
    assert [[dim.dim_param for dim in value.type.tensor_type.shape.dim] for value in graph.input] == [["batch", "length"]] * 2
    assert [value.name for value in graph.output] == ["logits", "attention"]
    assert not any(part.metadata_props or part.doc_string for part in (*graph.node, *graph.input, graph))


class TestFixedShapes:
    """For engines and accelerators that want them."""

    @pytest.fixture
    def fixed(self, exports: Exports) -> ExportReport:
        return exports("bert", engines=ENGINES, graph=GraphOptions(fixed_length=16, fixed_batch=4))

    def test_the_graph_takes_one_shape(self, fixed: ExportReport) -> None:
        graph = onnx.load(fixed.bundle.root / "onnx" / "model.onnx").graph
        assert [[dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in graph.input] == [[4, 16]] * 2
        assert (fixed.bundle.manifest.lengths, fixed.bundle.manifest.batch) == ((16,), 4)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_any_number_of_texts_is_answered(
        self, checkpoints: dict[str, Path], fixed: ExportReport, engine: EngineName
    ) -> None:
        texts = ["good", "the film was bad", "it was not a good day", "good film " * 20, "", "bad and long"]
        cut = tiny_tokenizer()
        cut.enable_truncation(16)
        expected = [logits_of_ids(checkpoints["bert"], cut.encode(text).ids) for text in texts]
        assert np.abs(load(fixed.bundle.root, engine=engine).logits(texts) - expected).max() <= 1e-4

    @pytest.mark.parametrize(
        ("model", "options", "problem"),
        [
            ("bert", GraphOptions(fixed_length=POSITIONS + 1), "41 tokens; this model takes 3 to 40"),
            ("gru", GraphOptions(fixed_length=129), "129 tokens; this model takes 3 to 128"),
            (
                "gru",
                GraphOptions(fixed_length=64, padding="padded"),
                "64 tokens; with `padding` padded this model takes 128 only",
            ),
        ],
    )
    def test_a_length_that_the_model_cannot_take_is_refused(
        self, checkpoints: dict[str, Path], tmp_path: Path, model: str, options: GraphOptions, problem: str
    ) -> None:
        with pytest.raises(OptionError, match=f"`fixed_length`: {problem}") as refusal:
            export_model(str(checkpoints[model]), output=tmp_path / "out", graph=options)
        assert refusal.value.option == "fixed_length"
        assert not list(tmp_path.iterdir())
