"""Sequence classifiers of transformers: every layout they are published in, every architecture, fused or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import torch
from helpers.support import Command
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer
from helpers.tiny_encoders import LAYERS, POSITIONS, byte_level_tokenizer, tiny_model, unigram_tokenizer, write_encoder
from safetensors.torch import save_file
from transformers import AutoConfig, AutoTokenizer

from sentiment_edge import InputError, load
from sentiment_edge.export import CheckpointError, ExportError, export_model
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.families import transformers_encoder as encoders
from sentiment_edge_export.options import ExportOptions
from sentiment_edge_runtimes.engines.engine import open_engine

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from sentiment_edge.export import ExportReport
    from sentiment_edge_export.torch_classifier import TorchClassifier

ROBERTA = {
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "max_position_embeddings": POSITIONS + 2,
    "type_vocab_size": 1,
}


GELUS = {"roberta": LAYERS, "xlm-roberta": LAYERS, "electra": LAYERS + 1, "distilbert": LAYERS}
"""ELECTRA's head has one too; the others here have another activation."""


def opened(folder: Path, **options: Any) -> TorchClassifier:
    return load_classifier(find_checkpoint(str(folder)), ExportOptions(**options))


def logits_of(folder: Path, ids: list[int]) -> np.ndarray:
    return opened(folder, fusion=False).reference(torch.tensor(ids)).numpy()


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoders") / "bert", tiny_model("bert"))


@pytest.fixture(scope="module")
def exported(bert: Path) -> ExportReport:
    return export_model(str(bert), output=bert.parent / "bert-fp32")


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


@pytest.mark.parametrize("model_type", ["deberta-v2", "mpnet"])
def test_relative_positions_are_exported_unfused_and_said_to_be(tmp_path: Path, model_type: str) -> None:
    folder = write_encoder(
        tmp_path / model_type, tiny_model(model_type, **({"pad_token_id": 1} if model_type == "mpnet" else {}))
    )
    report = export_model(str(folder), output=tmp_path / "out")
    assert report.parity.passed
    assert "MultiHeadAttention" not in report.bundle.manifest.nodes
    assert f"the attention of a {model_type} model cannot be one node" in report.notes[0]


def test_q_k_and_v_lose_their_reshapes_and_give_their_biases_to_the_attention(exported: ExportReport) -> None:
    graph = onnx.load(exported.bundle.root / "onnx" / "model.onnx").graph
    attentions = [node for node in graph.node if node.op_type == "MultiHeadAttention"]
    assert [bool(node.input[3]) for node in attentions] == [True] * LAYERS
    assert all(node.op_type != "Reshape" for node in graph.node)


def test_any_pattern_of_the_mask_equals_torch(exported: ExportReport) -> None:
    random = np.random.default_rng(0)
    ids = random.integers(4, len(SPECIAL) + len(PIECES), (64, 24))
    mask = random.integers(0, 2, ids.shape)
    mask[:8, :12], mask[:8, 12:] = 0, 1  # padded on the left
    mask[np.arange(64), random.integers(0, 24, 64)] = 1
    with torch.no_grad():
        expected = tiny_model("bert")(torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()
    engine = open_engine(exported.bundle, "onnxruntime", threads=1)
    assert np.abs(engine(ids, mask).logits - expected).max() <= 1e-4
    mask[3] = 0
    with pytest.raises(InputError, match="a row of the attention mask is all zeros"):
        engine(ids, mask)


def test_without_fusion_the_answers_are_the_same(bert: Path, exported: ExportReport, command: Command) -> None:
    done = command("export", "--model", bert, "--no-fusion", "--output", bert.parent / "unfused", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert "MultiHeadAttention" not in json.loads(done.stdout)["nodes"]
    texts = ["good film", "not a good film, it was long and bad"]
    difference = load(bert.parent / "unfused").logits(texts) - load(exported.bundle.root).logits(texts)
    assert np.abs(difference).max() <= 1e-5


def test_a_missing_node_fails_the_export(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "fused_twin", lambda module, _: module)
    with pytest.raises(ExportError, match="the graph has 0 MultiHeadAttention nodes instead of 2"):
        export_model(str(bert), output=tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_long_texts_are_cut_as_their_tokenizer_cuts(bert: Path, exported: ExportReport) -> None:
    cut = tiny_tokenizer()
    cut.enable_truncation(POSITIONS)
    text = "good film " * 100
    ids = cut.encode(text).ids
    assert (len(ids), ids[-1]) == (POSITIONS, 3)  # [SEP] stays
    classifier = load(exported.bundle.root)
    assert np.abs(classifier.logits([text])[0] - logits_of(bert, ids)).max() <= 1e-4
    assert classifier(text).truncated


def test_a_limit_of_the_tokenizer_is_kept(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 16}', "utf-8")
    assert opened(folder).max_length == 16


def test_the_bundle_opens_in_transformers(exported: ExportReport) -> None:
    config = AutoConfig.from_pretrained(exported.bundle.root)
    tokenizer = AutoTokenizer.from_pretrained(exported.bundle.root)
    assert (config.model_type, config.id2label) == ("bert", {0: "negative", 1: "positive"})
    assert json.loads((exported.bundle.root / "config.json").read_text("utf-8"))["transformers.js_config"] == {}
    assert tokenizer("the film was good")["input_ids"] == tiny_tokenizer().encode("the film was good").ids


class TestLayouts:
    """The same model in other files gives the same answers."""

    ids = (2, 4, 6, 7, 3)

    @pytest.fixture
    def expected(self, bert: Path) -> np.ndarray:
        return logits_of(bert, [*self.ids])

    def test_sharded_safetensors(self, tmp_path: Path, expected: np.ndarray) -> None:
        folder = tmp_path / "sharded"
        tiny_model("bert").save_pretrained(folder, max_shard_size="20kB")
        tiny_tokenizer().save(str(folder / "tokenizer.json"))
        shards = sorted(folder.glob("model-*.safetensors"))
        assert len(shards) > 1
        assert np.abs(logits_of(folder, [*self.ids]) - expected).max() <= 1e-5
        shards[1].unlink()
        with pytest.raises(CheckpointError, match=rf"missing shards: {shards[1].name}"):
            opened(folder)

    def test_a_pickle_with_old_names_beside_what_training_leaves(self, tmp_path: Path, expected: np.ndarray) -> None:
        folder = write_encoder(tmp_path / "pickled", tiny_model("bert"))
        (folder / "model.safetensors").unlink()
        (folder / "optimizer.pt").write_bytes(b"not read")
        weights = tiny_model("bert").state_dict()
        old = {name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): w for name, w in weights.items()}
        torch.save({**old, "bert.embeddings.position_ids": torch.arange(POSITIONS)[None]}, folder / "pytorch_model.bin")
        assert np.abs(logits_of(folder, [*self.ids]) - expected).max() <= 1e-5

    def test_only_the_older_files_of_a_tokenizer(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "slow", tiny_model("bert"))
        (folder / "tokenizer.json").unlink()
        (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in [*SPECIAL, *PIECES]), "utf-8")
        assert find_checkpoint(str(folder)).tokenizer.library.encode("the film").ids == tiny_tokenizer().encode("the film").ids
        (folder / "vocab.txt").unlink()
        with pytest.raises(CheckpointError, match=r"no tokenizer\.json"):
            opened(folder)

    def test_padding_and_truncation_in_the_tokenizer_have_no_effect(self, tmp_path: Path) -> None:
        baked = tiny_tokenizer()
        baked.enable_padding(length=30)
        baked.enable_truncation(4)
        folder = write_encoder(tmp_path / "baked", tiny_model("bert"), baked)
        report = export_model(str(folder), output=tmp_path / "out")
        text = "the film was good and the day was long"
        expected = logits_of(folder, tiny_tokenizer().encode(text).ids)
        assert np.abs(load(report.bundle.root).logits([text])[0] - expected).max() <= 1e-4


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
        assert opened(folder).labels == ("good",)
        report = export_model(str(folder), labels=["bad", "good"], output=tmp_path / "out")
        logit = logits_of(folder, tiny_tokenizer().encode("the film").ids)[0]
        assert load(report.bundle.root)("the film").scores["good"] == pytest.approx(1 / (1 + np.exp(-float(logit))), abs=1e-5)

    @pytest.mark.parametrize("problem", [None, "regression"])
    def test_a_regression_is_refused(self, tmp_path: Path, problem: str | None) -> None:
        folder = write_encoder(tmp_path / "one", tiny_model("bert", id2label={0: "stars"}, problem_type=problem))
        with pytest.raises(CheckpointError, match="a regression, which has no classes"):
            opened(folder)

    def test_classes_without_names(self, tmp_path: Path, command: Command) -> None:
        folder = write_encoder(tmp_path / "unnamed", tiny_model("bert", id2label={0: "LABEL_0", 1: "LABEL_1"}))
        assert opened(folder).labels == ("LABEL_0", "LABEL_1")
        assert "--labels negative,positive" in opened(folder).notes[0]
        named = command("export", "--model", folder, "--labels", "negative, positive", "--output", tmp_path / "out")
        assert (named.returncode, b"note:" in named.stderr) == (0, False)
        assert load(tmp_path / "out").labels == ("negative", "positive")
        wrong = command("export", "--model", folder, "--labels", "a,b,c", "--output", tmp_path / "wrong")
        assert wrong.returncode == 1
        assert wrong.stderr.decode() == "sentiment-edge: --labels names 3 different labels for 2 classes\n"


class TestFixedShapes:
    """For engines and accelerators that want them."""

    @pytest.fixture(scope="class")
    @classmethod
    def fixed(cls, bert: Path) -> ExportReport:
        return export_model(str(bert), output=bert.parent / "fixed", fixed_length=16, fixed_batch=4)

    def test_the_graph_takes_one_shape(self, fixed: ExportReport) -> None:
        graph = onnx.load(fixed.bundle.root / "onnx" / "model.onnx").graph
        assert [[dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in graph.input] == [[4, 16]] * 2
        assert (fixed.bundle.manifest.lengths, fixed.bundle.manifest.batch) == ((16,), 4)

    def test_any_number_of_texts_is_answered(self, bert: Path, fixed: ExportReport) -> None:
        texts = ["good", "the film was bad", "it was not a good day", "good film " * 20, "", "bad and long"]
        cut = tiny_tokenizer()
        cut.enable_truncation(16)
        expected = [logits_of(bert, cut.encode(text).ids) for text in texts]
        assert np.abs(load(fixed.bundle.root).logits(texts) - expected).max() <= 1e-4

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"fixed_length": POSITIONS + 1}, "a fixed length of 41 tokens; this model takes 3 to 40"),
            ({"fixed_length": 2}, "a fixed length of 2 tokens"),
            ({"fixed_batch": 0}, "a fixed batch of 0 texts"),
        ],
    )
    def test_what_the_model_cannot_take_is_refused(
        self, bert: Path, tmp_path: Path, options: dict[str, int], message: str
    ) -> None:
        with pytest.raises(ExportError, match=message):
            export_model(str(bert), output=tmp_path / "out", **options)  # type: ignore[arg-type]
        assert not list(tmp_path.iterdir())


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
        ({"architectures": ["BertForMaskedLM"]}, r"unknown architecture \(BertForMaskedLM\); known are ElectraClassifier, "),
        ({"is_decoder": True}, "no encoder for sequences"),
    ],
)
def test_a_config_that_contradicts_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    stated = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**stated, **changes}), "utf-8")
    with pytest.raises(CheckpointError, match=message) as caught:
        opened(folder)
    assert "\n" not in str(caught.value)


def test_a_tensor_under_two_names_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    weights = tiny_model("bert").state_dict()
    weights["bert.embeddings.LayerNorm.gamma"] = weights["bert.embeddings.LayerNorm.weight"] * 5
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"there twice: bert\.embeddings\.LayerNorm\.gamma"):
        opened(folder)


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
        opened(folder)


def test_files_of_no_tokenizer_are_not_taken_for_one(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"))
    (folder / "tokenizer.json").unlink()
    (folder / "merges.txt").touch()
    with pytest.raises(CheckpointError, match="tokenizer"):
        opened(folder)


def test_the_padding_of_the_gru_is_not_for_encoders(bert: Path) -> None:
    with pytest.raises(ExportError, match="--padding padded is for the GRU"):
        opened(bert, padding="padded")


def test_a_tokenizer_of_another_model_is_named(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert", tiny_model("bert"), tiny_tokenizer([*PIECES, "more"]))
    with pytest.raises(CheckpointError, match="the tokenizer has token 22, the embedding 22 rows"):
        opened(folder)


class TestInt8:
    @pytest.fixture(scope="class")
    @classmethod
    def quantized(cls, bert: Path) -> ExportReport:
        model = tiny_model("bert", hidden_size=64, intermediate_size=128, num_hidden_layers=1)
        with torch.no_grad():
            model.get_parameter("classifier.bias").add_(torch.tensor([3.0, -3.0]))  # random logits tie too often for a gate
        return export_model(str(write_encoder(bert.parent / "wide", model)), precision="int8", output=bert.parent / "int8")

    def test_every_product_is_int8_and_q_k_and_v_share_a_quantization(self, quantized: ExportReport) -> None:
        graph = onnx.load(quantized.bundle.root / "onnx" / "model_quantized.onnx").graph
        kinds = [node.op_type for node in graph.node]
        assert kinds.count("MatMulIntegerToFloat") == 6
        products = [node for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
        assert len({node.input[0] for node in products}) == 5  # K and V share theirs; Q is needed of the first token only
        assert "MatMul" not in kinds

    def test_an_answer_does_not_depend_on_its_neighbours(self, quantized: ExportReport) -> None:
        assert quantized.parity.batch_difference <= 1e-5
        engine = open_engine(quantized.bundle, "onnxruntime", threads=2)
        ids = np.random.default_rng(0).integers(4, 22, (9, 24))
        mask = np.ones_like(ids)
        together = engine(ids, mask).logits
        alone = np.concatenate([engine(ids[[row]], mask[[row]]).logits for row in range(9)])
        assert np.abs(together - alone).max() <= 1e-5

    @pytest.mark.usefixtures("quantized")
    def test_the_classical_scheme_for_comparison(self, bert: Path) -> None:
        report = export_model(
            str(bert.parent / "wide"), precision="int8", quantization="per-tensor", output=bert.parent / "per-tensor"
        )
        graph = onnx.load(report.bundle.root / "onnx" / "model_quantized.onnx").graph
        assert sum(node.op_type == "DynamicQuantizeLinear" for node in graph.node) == 5
        assert report.parity.batch_difference > 1e-4
        manifest = json.loads((report.bundle.root / "manifest.json").read_text("utf-8"))
        assert manifest["quantization"]["onnxruntime"]["scheme"] == "per-tensor"
