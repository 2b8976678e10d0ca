"""Sequence classifiers of transformers: every architecture, every kind of head, and configs that contradict themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from helpers.exports import Exports
from helpers.invocation import invoke
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer
from helpers.tiny_encoders import LAYERS, POSITIONS, byte_level_tokenizer, tiny_model, unigram_tokenizer, write_encoder
from helpers.torch_answers import logits_of_ids, open_classifier
from safetensors.torch import save_file
from transformers import AutoConfig, AutoTokenizer

from sentiment_edge import InputError, load
from sentiment_edge.export import CheckpointError, SourceOptions, export_model
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ROBERTA = {
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "max_position_embeddings": POSITIONS + 2,
    "type_vocab_size": 1,
}
GELUS = {"roberta": LAYERS, "xlm-roberta": LAYERS, "electra": LAYERS + 1, "distilbert": LAYERS}
"""ELECTRA's head has one too; the others here have another activation."""


@pytest.mark.parametrize(
    ("model_type", "tokenizer", "changes"),
    [
        ("roberta", byte_level_tokenizer(), {**ROBERTA, "vocab_size": 262}),
        ("xlm-roberta", unigram_tokenizer(), ROBERTA),
        ("albert", None, {"embedding_size": 16}),
        ("electra", None, {"embedding_size": 16}),
        ("distilbert", None, {}),
        ("bert", None, {"hidden_act": "relu"}),
    ],
)
def test_each_architecture_is_fused(
    tmp_path: Path, model_type: str, tokenizer: Tokenizer | None, changes: dict[str, Any]
) -> None:
    model = tiny_model(model_type, **changes)
    report = export_model(str(write_encoder(tmp_path / model_type, model, tokenizer)), output=tmp_path / "out")
    assert report.parity.passed
    assert report.notes == ()
    assert report.bundle.manifest.nodes["MultiHeadAttention"] == LAYERS
    assert report.bundle.manifest.nodes["LayerNormalization"] == 2 * LAYERS + 1
    assert report.bundle.manifest.nodes.get("Gelu") == GELUS.get(model_type)
    assert report.bundle.manifest.max_length == POSITIONS


def test_any_pattern_of_the_mask_equals_torch(exports: Exports) -> None:
    random = np.random.default_rng(0)
    ids = random.integers(4, len(SPECIAL) + len(PIECES), (64, 24))
    mask = random.integers(0, 2, ids.shape)
    mask[:8, :12], mask[:8, 12:] = 0, 1  # padded on the left
    mask[np.arange(64), random.integers(0, 24, 64)] = 1
    with torch.no_grad():
        expected = tiny_model("bert")(torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()
    engine = open_engine(exports("bert", engines=ENGINES).bundle, "onnxruntime", threads=1)
    assert np.abs(engine(ids, mask).logits - expected).max() <= 1e-4
    mask[3] = 0
    with pytest.raises(InputError, match="a row of the attention mask is all zeros"):
        engine(ids, mask)


def test_long_texts_are_cut_as_their_tokenizer_cuts(checkpoints: dict[str, Path], exports: Exports) -> None:
    cut = tiny_tokenizer()
    cut.enable_truncation(POSITIONS)
    text = "good film " * 100
    ids = cut.encode(text).ids
    assert (len(ids), ids[-1]) == (POSITIONS, 3)  # [SEP] stays
    expected = logits_of_ids(checkpoints["bert"], ids)
    for engine in ENGINES:
        classifier = load(exports("bert", engines=ENGINES).bundle.root, engine=engine)
        assert np.abs(classifier.logits([text])[0] - expected).max() <= 1e-4
        assert classifier(text).truncated


def test_a_limit_of_the_tokenizer_is_kept(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 16}', "utf-8")
    assert open_classifier(folder).max_length == 16


def test_the_bundle_opens_in_transformers(exports: Exports) -> None:
    exported = exports("bert", engines=ENGINES)
    config = AutoConfig.from_pretrained(exported.bundle.root)
    tokenizer = AutoTokenizer.from_pretrained(exported.bundle.root)
    assert (config.model_type, config.id2label) == ("bert", {0: "negative", 1: "positive"})
    assert json.loads((exported.bundle.root / "config.json").read_text("utf-8"))["transformers.js_config"] == {}
    assert tokenizer("the film was good")["input_ids"] == tiny_tokenizer().encode("the film was good").ids


class TestHeads:
    """What makes probabilities of the outputs."""

    def test_several_labels_at_once_get_a_sigmoid_each(self, tmp_path: Path) -> None:
        labels = {0: "rude", 1: "sad", 2: "funny"}
        folder = write_encoder(
            tmp_path / "multi", tiny_model("bert", id2label=labels, problem_type="multi_label_classification")
        )
        report = export_model(str(folder), output=tmp_path / "out")
        assert report.bundle.manifest.activation == "sigmoid"
        classifier = load(report.bundle.root)
        prediction = classifier("the film was good")
        logits = classifier.logits(["the film was good"])[0].astype(float)
        assert [*prediction.scores.values()] == pytest.approx(1 / (1 + np.exp(-logits)))
        assert prediction.label == labels[int(logits.argmax())]

    def test_one_output_for_two_labels(self, tmp_path: Path) -> None:
        model = tiny_model("bert", id2label={0: "good"}, problem_type="multi_label_classification")
        folder = write_encoder(tmp_path / "one", model)
        assert open_classifier(folder).labels == ("good",)
        report = export_model(str(folder), source=SourceOptions(labels=["bad", "good"]), output=tmp_path / "out")
        logit = logits_of_ids(folder, tiny_tokenizer().encode("the film").ids)[0]
        assert load(report.bundle.root)("the film").scores["good"] == pytest.approx(1 / (1 + np.exp(-float(logit))), abs=1e-5)

    @pytest.mark.parametrize("problem", [None, "regression"])
    def test_a_regression_is_refused(self, tmp_path: Path, problem: str | None) -> None:
        folder = write_encoder(tmp_path / "one", tiny_model("bert", id2label={0: "stars"}, problem_type=problem))
        with pytest.raises(CheckpointError, match="a regression, which has no classes"):
            open_classifier(folder)

    def test_classes_without_names(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "unnamed", tiny_model("bert", id2label={0: "LABEL_0", 1: "LABEL_1"}))
        assert open_classifier(folder).labels == ("LABEL_0", "LABEL_1")
        assert "(LABEL_0, LABEL_1)" in open_classifier(folder).notes[0]
        assert "`labels`" in open_classifier(folder).notes[0]
        named = invoke("export", "--model", folder, "--labels", "negative, positive", "--output", tmp_path / "out")
        assert (named.returncode, named.stderr) == (0, b"")
        assert load(tmp_path / "out").labels == ("negative", "positive")
        wrong = invoke("export", "--model", folder, "--labels", "a,b,c", "--output", tmp_path / "wrong")
        assert (wrong.returncode, wrong.stdout) == (2, b"")
        assert wrong.stderr.decode() == "sentiment-edge: --labels: 3 names of classes, but the model has 2\n"
        assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_hidden_layers": 3}, r"missing: bert\.encoder\.layer\.2\.attention"),
        ({"num_hidden_layers": 1}, r"unexpected: bert\.encoder\.layer\.1\.attention"),
        ({"intermediate_size": 65}, r"wrongly shaped: .*intermediate\.dense\.bias \[64\] instead of \[65\]"),
        ({"vocab_size": 12}, r"wrongly shaped: bert\.embeddings\.word_embeddings\.weight \[22, 32\] instead of \[12, 32\]"),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, r"wrongly shaped: classifier\.bias \[2\] instead of \[3\]"),
        ({"id2label": {"0": "a", "1": "a"}}, "1 different labels for 2 classes"),
        ({"num_attention_heads": 5}, r"wrongly shaped: bert\.encoder\.layer\.0\.attention\.self\.key"),
        ({"num_attention_heads": 0}, "transformers cannot build the model"),
        ({"hidden_size": "wide"}, "transformers refuses config.json"),
        ({"model_type": "unheard-of"}, "transformers knows no model_type 'unheard-of'"),
        ({"architectures": ["BertForMaskedLM"]}, r"BertForMaskedLM in config\.json has no classifier of texts: it fills in"),
        ({"is_decoder": True}, "bert is a decoder here"),
    ],
)
def test_a_config_that_contradicts_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    stated = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**stated, **changes}), "utf-8")
    with pytest.raises(CheckpointError, match=message) as caught:
        open_classifier(folder)
    assert "\n" not in str(caught.value)


def test_a_tensor_under_two_names_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    weights = tiny_model("bert").state_dict()
    weights["bert.embeddings.LayerNorm.gamma"] = weights["bert.embeddings.LayerNorm.weight"] * 5
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"there twice: bert\.embeddings\.LayerNorm\.gamma"):
        open_classifier(folder)


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("tokenizer_config.json", '{"truncation_side": "left"}', "cuts long texts at their start"),
        ("config.json", '{"problem_type": "foo"}', "problem_type 'foo', which is unknown"),
        ("config.json", '{"pad_token_id": 99}', "transformers cannot build the model"),
    ],
)
def test_what_would_be_answered_otherwise_is_refused(tmp_path: Path, name: str, contents: str, message: str) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    stated = json.loads((folder / name).read_text("utf-8")) if (folder / name).exists() else {}
    (folder / name).write_text(json.dumps({**stated, **json.loads(contents)}), "utf-8")
    with pytest.raises(CheckpointError, match=message):
        open_classifier(folder)
