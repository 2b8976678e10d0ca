"""Attention in its forms: rotary positions, windows, grouped heads and long texts, each with torch's answers in any batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnx
import pytest
import torch
from helpers.tiny_encoders import LAYERS, VOCABULARY, tiny_model, write_encoder
from transformers.masking_utils import create_sliding_window_causal_mask
from transformers.models.modernbert import modeling_modernbert

from sentiment_edge.export import export_model
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.vocabulary import ENGINES, EngineName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PreTrainedModel

    from sentiment_edge.export import ExportReport
    from sentiment_edge_runtimes.engines.engine import Engine

LONG = 1030
"""More positions than a model may have for its attention to hold the scores of all pairs of tokens."""
WINDOW = 8
_MODERN: dict[str, Any] = {
    "num_hidden_layers": LAYERS + 1,
    "local_attention": 2 * WINDOW,
    "global_attn_every_n_layers": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "modernbert": ("modernbert", {**_MODERN, "max_position_embeddings": LONG}),
    "modernbert, short": ("modernbert", {**_MODERN, "classifier_pooling": "mean"}),
    "eurobert": ("eurobert", {"num_key_value_heads": 2, "max_position_embeddings": LONG}),
    "xlm-roberta": ("xlm-roberta", {"max_position_embeddings": LONG}),
}
LENGTHS = (1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40)


class _Form(NamedTuple):
    model: PreTrainedModel
    report: ExportReport
    engines: dict[EngineName, Engine]


@pytest.fixture(scope="module", params=FORMS)
def form(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> _Form:
    """A tiny model, and its export for both engines."""
    model_type, changes = FORMS[request.param]
    model = tiny_model(model_type, **changes)
    model.set_attn_implementation("eager")
    folder = tmp_path_factory.mktemp("form")
    report = export_model(str(write_encoder(folder / "checkpoint", model)), engines=ENGINES, output=folder / "bundle")
    return _Form(model, report, {engine: open_engine(report.bundle, engine, 1) for engine in ENGINES})


def test_each_attention_is_one_node(form: _Form) -> None:
    assert form.report.bundle.manifest.nodes["MultiHeadAttention"] == form.model.config.num_hidden_layers
    assert not [note for note in form.report.notes if "one node" in note]


@pytest.mark.parametrize("engine", ENGINES)
def test_alone_and_padded_at_lengths_around_the_window(form: _Form, engine: EngineName) -> None:
    for length in LENGTHS:
        for padding in (0, 1, WINDOW, 3 * WINDOW):
            if length + padding <= form.report.bundle.manifest.max_length:
                assert _difference(form, engine, _mask([length], length + padding)) <= 1e-4, (length, padding)


@pytest.mark.parametrize("engine", ENGINES)
def test_mixed_batches(form: _Form, engine: EngineName) -> None:
    longest = min(form.report.bundle.manifest.max_length, 300)
    random = np.random.default_rng(0)
    for rows in (2, 3, 5, 16):
        counts = random.integers(1, longest + 1, rows).tolist()
        assert _difference(form, engine, _mask(counts, max(counts))) <= 1e-4, counts


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mask_in_any_pattern(form: _Form, engine: EngineName) -> None:
    mask = _mask([30, 30, 30], 30)
    mask[0, 1:4] = mask[1, 20:] = mask[2, ::3] = 0
    mask[:, 0] = 1
    assert _difference(form, engine, mask) <= 1e-4


@pytest.mark.parametrize("engine", ENGINES)
def test_the_longest_text(form: _Form, engine: EngineName) -> None:
    longest = form.report.bundle.manifest.max_length
    assert _difference(form, engine, _mask([longest], longest)) <= 1e-4


def test_no_scores_of_all_pairs_are_held_for_a_long_model(form: _Form) -> None:
    """ONNX Runtime's kernel is given neither mask nor bias where all tokens attend to all."""
    if form.report.bundle.manifest.max_length < LONG - 2:
        pytest.skip("a model of short texts")
    graph = onnx.load(form.report.bundle.root / "onnx" / "model.onnx").graph
    attentions = [node for node in graph.node if node.op_type == "MultiHeadAttention"]
    masked = [node for node in attentions if any(node.input[3:])]
    local = getattr(form.model.config, "layer_types", []).count("sliding_attention")
    assert len(masked) == local
    shared = [{node.input[position] for node in masked} for position in (4, 5)]
    assert all(len(names) == 1 for names in shared) or not local


def test_a_window_of_another_kind_stays_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask function that is not known to be a window on both sides is never taken for one."""
    monkeypatch.setattr(modeling_modernbert, "create_bidirectional_sliding_window_mask", _causal)
    folder = write_encoder(tmp_path / "causal", tiny_model("modernbert", **_MODERN))
    report = export_model(str(folder), output=tmp_path / "out")
    assert report.parity.passed
    assert "the attention of a modernbert model cannot be one node" in report.notes[0]


def _causal(**inputs: Any) -> Any:
    return create_sliding_window_causal_mask(**inputs, past_key_values=None)


def _mask(counts: Sequence[int], length: int) -> np.ndarray[Any, Any]:
    return (np.arange(length) < np.array(counts)[:, None]).astype(np.int64)


def _difference(form: _Form, engine: EngineName, mask: np.ndarray[Any, Any]) -> float:
    """The largest difference of a logit from that of transformers' own eager module on the same ids and mask."""
    ids = np.random.default_rng(mask.size).integers(4, VOCABULARY, mask.shape)
    ids = np.where(mask, ids, form.model.config.pad_token_id)
    with torch.no_grad():
        expected = form.model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
    found = form.engines[engine](ids, mask).logits
    return float(np.abs(found - expected.numpy()).max())
