"""Models whose answers depend on padding: found beforehand, and never padded by anything that runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from helpers.invocation import invoke
from helpers.running_server import Running
from helpers.tiny_checkpoints import tiny_tokenizer
from helpers.tiny_encoders import POSITIONS, tiny_model, write_encoder
from helpers.torch_answers import logits_of_texts, open_classifier
from tokenizers import processors

from sentiment_edge import OptionError, load, verify
from sentiment_edge.export import GraphOptions, export_model
from sentiment_edge_runtimes.batching import MAX_ROWS
from sentiment_edge_runtimes.limits import LONGEST
from sentiment_edge_runtimes.tokenization import TextTokenizer
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import EngineName

NOTE = "this model's answers depend on padding, so the bundle never pads"
MODELS: dict[str, dict[str, Any]] = {
    "convbert": {"head_ratio": 2, "conv_kernel_size": 3, "num_groups": 1},
    "fnet": {},
    "mobilebert": {"intra_bottleneck_size": 32, "true_hidden_size": 32, "normalization_type": "layer_norm"},
}
INVARIANT = ("bert", "distilbert", "deberta-v2", "modernbert", "roformer", "squeezebert")
TEXTS = [f"a {'good bad film the was not it long '[: 5 * (row % 9)]} {'!' * (row % 4)}" for row in range(90)]
"""Of many lengths, several of each."""


@pytest.fixture(scope="module")
def convbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("convbert") / "c", tiny_model("convbert", **MODELS["convbert"]))


@pytest.fixture(scope="module")
def bundle(convbert: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return export_model(str(convbert), output=tmp_path_factory.mktemp("out") / "b", engines=ENGINES).bundle


@pytest.mark.parametrize("model_type", INVARIANT)
def test_a_mask_that_hides_padding_is_found(tmp_path: Path, model_type: str) -> None:
    classifier = open_classifier(write_encoder(tmp_path / "c", tiny_model(model_type)))
    assert classifier.padding == "packed"
    assert len(classifier.make_form(False).lengths) > 1
    assert not any(NOTE in note for note in classifier.notes)


@pytest.mark.parametrize("model_type", MODELS)
def test_a_dependence_on_padding_is_found(tmp_path: Path, model_type: str) -> None:
    classifier = open_classifier(write_encoder(tmp_path / "c", tiny_model(model_type, **MODELS[model_type])))
    form = classifier.make_form(False)
    assert (classifier.padding, form.lengths, classifier.grid(form)) == ("unpadded", (POSITIONS,), None)
    assert any(NOTE in note for note in classifier.notes)


@pytest.mark.parametrize(("model_type", "padding"), [("bert", "packed"), ("convbert", "unpadded")])
def test_rounding_of_large_logits_is_no_dependence(tmp_path: Path, model_type: str, padding: str) -> None:
    model = tiny_model(model_type, **MODELS.get(model_type, {}))
    weights = dict(model.named_parameters())
    with torch.no_grad():
        weights["classifier.out_proj.weight" if model_type == "convbert" else "classifier.weight"].mul_(1e4)
    assert open_classifier(write_encoder(tmp_path / "c", model)).padding == padding


@pytest.mark.parametrize("engine", ENGINES)
def test_many_texts_get_the_answers_that_each_gets_alone(convbert: Path, bundle: Bundle, engine: EngineName) -> None:
    classifier = load(bundle.root, engine=engine)
    expected = logits_of_texts(convbert, TEXTS)
    assert len({len(tokens.ids) for tokens in TextTokenizer(bundle, threads=1).encode(TEXTS)}) > MAX_ROWS // 2
    assert np.abs(classifier.logits(TEXTS) - expected).max() <= 1e-4
    assert np.abs(np.concatenate([classifier.logits([text]) for text in TEXTS]) - expected).max() <= 1e-4
    assert [each.label for each in classifier.stream(TEXTS)] == [classifier.labels[row] for row in expected.argmax(axis=1)]


def test_the_bundle_says_so(bundle: Bundle) -> None:
    stored = json.loads((bundle.root / "manifest.json").read_text("utf-8"))
    assert (stored["format_version"], stored["padding"], stored["lengths"]) == (2, "unpadded", [POSITIONS])
    report = json.loads((bundle.root / "parity.json").read_text("utf-8"))
    assert {each["name"] for each in report["conditions"]} == {"one by one", "mixed batches"}
    assert report["by_length"] == []
    assert report["batch_difference"] <= 1e-4
    assert "nothing is padded" in (bundle.root / "README.md").read_text("utf-8")
    assert verify(bundle.root).passed


def test_everything_that_runs_it_leaves_it_unpadded(bundle: Bundle, convbert: Path, tmp_path: Path) -> None:
    labels = [bundle.manifest.labels[row] for row in logits_of_texts(convbert, TEXTS).argmax(axis=1)]
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"{text}\n" for text in TEXTS), "utf-8")
    predicted = invoke("predict", bundle.root, "--input", lines, "--format", "jsonl")
    assert predicted.returncode == 0, predicted.stderr.decode()
    assert [json.loads(line)["label"] for line in predicted.stdout.splitlines()] == labels
    measured = invoke("bench", bundle.root, "--input", lines, "--seconds", "1", "--json")
    assert measured.returncode == 0, measured.stderr.decode()
    server = Running(str(bundle.root))
    try:
        answer = server.predict(TEXTS)
    finally:
        server.stop()
    assert [each["sentiment"] for each in answer.contents["predictions"]] == labels


def test_one_length_is_refused_and_a_fixed_batch_is_not(convbert: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="depend on padding"):
        export_model(str(convbert), output=tmp_path / "out", graph=GraphOptions(fixed_length=16))
    fixed = export_model(str(convbert), output=tmp_path / "out", graph=GraphOptions(fixed_batch=3)).bundle
    assert np.abs(load(fixed.root).logits(TEXTS) - logits_of_texts(convbert, TEXTS)).max() <= 1e-4
    done = invoke("export", "--model", convbert, "--padding", "unpadded", "--output", tmp_path / "no")
    assert done.returncode != 0
    assert b"packed" in done.stderr
    assert b"padded" in done.stderr


def test_a_model_without_a_mask(tmp_path: Path) -> None:
    checkpoint = write_encoder(tmp_path / "c", tiny_model("fnet"))
    report = export_model(str(checkpoint), output=tmp_path / "out", engines=ENGINES, precision="int8")
    fp32 = [each for each in report.parity.conditions if each.precision == "fp32"]
    assert {each.engine for each in fp32} == {*ENGINES}
    assert max(each.max_logit_difference for each in fp32) <= 1e-4


@pytest.mark.parametrize("limit", [{}, {"model_max_length": 48, "max_len": 7}, {"max_len": 48}])
def test_a_model_without_a_table_of_positions_reads_what_its_tokenizer_states(tmp_path: Path, limit: dict[str, int]) -> None:
    checkpoint = _xlnet(tmp_path / "c")
    (checkpoint / "tokenizer_config.json").write_text(json.dumps(limit), "utf-8")
    assert open_classifier(checkpoint).max_length == (48 if limit else LONGEST)


def test_xlnet_reads_the_last_token_also_of_texts_that_are_cut(tmp_path: Path) -> None:
    checkpoint = _xlnet(tmp_path / "c")
    (checkpoint / "tokenizer_config.json").write_text('{"model_max_length": 24}', "utf-8")
    bundle = export_model(str(checkpoint), output=tmp_path / "out", engines=ENGINES).bundle
    texts = [*TEXTS, "good film " * 40]
    tokens = TextTokenizer(bundle, threads=1).encode(texts)
    assert {tuple(each.ids[-2:]) for each in tokens} == {(3, 2)}
    assert (len(tokens[-1].ids), tokens[-1].truncated) == (24, True)
    for engine in ENGINES:
        assert np.abs(load(bundle.root, engine=engine).logits(texts) - logits_of_texts(checkpoint, texts)).max() <= 1e-4


def _xlnet(folder: Path) -> Path:
    """It reads the last token of a text; its tokenizer puts one there for that, after the separator."""
    tokenizer = tiny_tokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [SEP] [CLS]:2", special_tokens=[("[SEP]", 3), ("[CLS]", 2)]
    )
    return write_encoder(folder, tiny_model("xlnet"), tokenizer)
