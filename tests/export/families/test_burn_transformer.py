"""The Burn transformer, exported: from every format of record, in every form of its attention."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers import burn_writer
from helpers.burn_reference import in_numpy
from helpers.burn_writer import tiny_tensors, write_model
from helpers.exports import Exports
from helpers.invocation import invoke
from helpers.running_server import Running
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer
from helpers.torch_answers import logits_of_texts, open_classifier

from sentiment_edge import load
from sentiment_edge.export import BurnOptions, CheckpointError, GraphOptions, Int8Options, SourceOptions, export_model

if TYPE_CHECKING:
    from helpers.burn_writer import Tensors

    from sentiment_edge_export.vocabulary import QuietSoftmax

VOCABULARY = [*SPECIAL, *PIECES]
TENSORS = tiny_tensors(vocabulary=len(VOCABULARY))
TEXTS = [
    "the film was good",
    "it was not a good day!",
    "bad",
    "the long film and the long day was bad, and it was long . . . !",
    "a [PAD] b",
]


def write(folder: Path, contents: bytes, name: str = "model.mpk", **changes: Any) -> Path:
    write_model(folder, contents, name, **changes)
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write(tmp_path / "sam", burn_writer.messagepack(TENSORS))


def assert_gives(bundle: Path, texts: list[str] = TEXTS, **how: Any) -> None:
    expected = [in_numpy(TENSORS, text, **how) for text in texts]
    np.testing.assert_allclose(load(bundle).logits(texts), expected, atol=1e-4)


def assert_reads(folder: Path, burn: BurnOptions | None = None, **how: Any) -> None:
    expected = [in_numpy(TENSORS, text, **how) for text in TEXTS]
    source = SourceOptions(burn=burn or BurnOptions())
    np.testing.assert_allclose(logits_of_texts(folder, TEXTS, source=source), expected, atol=1e-4)


@pytest.mark.parametrize("name", burn_writer.FORMATS)
def test_every_format_gives_the_same_model(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "sam", burn_writer.FORMATS[name](TENSORS), name)
    later = name == "model.bpk"  # only Burn 0.20 and later align tensors
    assert_reads(folder, form="softmax1" if later else "legacy", early=name == "early.mpk")


def test_the_norms_of_early_versions_are_exported(tmp_path: Path) -> None:
    folder = write(tmp_path / "sam", burn_writer.early_messagepack(TENSORS))
    export_model(str(folder), output=tmp_path / "out")
    assert_gives(tmp_path / "out", early=True)


def test_safetensors_turned_to_torch_s_layout(tmp_path: Path) -> None:
    assert_reads(write(tmp_path / "sam", burn_writer.safetensors_as_in_torch(TENSORS), "model.safetensors"))


@pytest.mark.parametrize(
    ("version", "options", "config", "form"),
    [
        ("0.19.1", BurnOptions(), {}, "legacy"),
        ("0.20.0-pre.4", BurnOptions(), {}, "legacy"),
        ("0.20.0-pre.5", BurnOptions(), {}, "softmax1"),
        ("0.20.0", BurnOptions(), {}, "softmax1"),
        ("0.21.0", BurnOptions(), {"activation": "Gelu", "layer_norm_eps": 1e-5}, "softmax1"),
        ("0.18.0", BurnOptions(), {"quiet_softmax": False}, "off"),
        ("0.18.0", BurnOptions(quiet_softmax="softmax1"), {}, "softmax1"),
        ("0.21.0", BurnOptions(quiet_softmax="legacy"), {}, "legacy"),
    ],
)
def test_the_form_of_the_softmax(tmp_path: Path, version: str, options: BurnOptions, config: dict[str, Any], form: str) -> None:
    assert_reads(write(tmp_path / "sam", burn_writer.messagepack(TENSORS, version), **config), options, form=form)


@pytest.mark.parametrize(
    ("form", "fusion"), [("legacy", True), ("softmax1", True), ("softmax1", False), ("off", True), ("off", False)]
)
def test_every_form_is_exported(checkpoint: Path, tmp_path: Path, form: QuietSoftmax, fusion: bool) -> None:
    source, graph = SourceOptions(burn=BurnOptions(quiet_softmax=form)), GraphOptions(fusion=fusion)
    report = export_model(str(checkpoint), output=tmp_path / "out", source=source, graph=graph)
    assert report.bundle.manifest.nodes.get("MultiHeadAttention", 0) == (2 if fusion and form != "legacy" else 0)
    assert_gives(tmp_path / "out", form=form)


def test_norms_last(checkpoint: Path, tmp_path: Path) -> None:
    assert_reads(write(tmp_path / "stated", burn_writer.messagepack(TENSORS), norm_first=False), first=False)
    source = SourceOptions(burn=BurnOptions(norm="last"))
    export_model(str(checkpoint), output=tmp_path / "out", source=source)
    assert_gives(tmp_path / "out", first=False)


def test_without_a_config_the_card_s_values_are_taken_and_said(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "config.json").unlink()
    report = export_model(str(checkpoint), output=tmp_path / "out")
    assert report.bundle.manifest.labels == ("Negative", "Neutral", "Positive")
    assert any("8 heads and norm first are assumed" in note for note in report.notes)
    assert_gives(tmp_path / "out", heads=8)
    assert_reads(checkpoint, BurnOptions(heads=2), heads=2)


def test_int8(exports: Exports) -> None:
    report = exports("burn", precision="int8")
    assert report.parity.passed
    assert report.bundle.manifest.nodes == {"LayerNormalization": 4, "Gelu": 2}


def test_a_fixed_length_cuts_as_burn_cuts(checkpoint: Path, tmp_path: Path) -> None:
    export_model(str(checkpoint), output=tmp_path / "out", graph=GraphOptions(fixed_length=8, fixed_batch=2))
    classifier = load(tmp_path / "out")
    assert [prediction.truncated for prediction in classifier(["good " * 20, "good " * 6, "good"])] == [True, False, False]


def test_a_long_text_is_cut_as_burn_cuts(checkpoint: Path, tmp_path: Path) -> None:
    """After 16 tokens: neither the last word nor the [SEP] of a longer text is read."""
    report = export_model(str(checkpoint), output=tmp_path / "out")
    assert report.bundle.manifest.max_length == 16
    classifier = load(tmp_path / "out")
    straddling = "goods " * 20_000  # good, ##s: the cut falls into a word
    np.testing.assert_allclose(classifier.logits([straddling])[0], in_numpy(TENSORS, straddling), atol=1e-4)
    for words, truncated in ((14, False), (15, False), (16, True), (40, True), (20_000, True)):
        text = "good bad film " * (words // 3) + "day " * (words % 3)
        np.testing.assert_allclose(classifier.logits([text])[0], in_numpy(TENSORS, text), atol=1e-4)
        assert classifier(text).truncated is truncated


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_heads": 3}, "3 heads do not divide a width of 16"),
        ({"n_heads": "4"}, "n_heads '4'"),
        ({"quiet_softmax": "yes"}, "quiet_softmax 'yes'"),
        ({"d_model": 32}, "d_model 32, the weights 16"),
        ({"n_layers": 6}, "n_layers 6, the weights 2"),
        ({"activation": {"PRelu": {}}}, "unknown activation"),
        ({"layer_norm_eps": -1}, "layer_norm_eps -1"),
    ],
)
def test_a_config_that_contradicts(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = write(tmp_path / "sam", burn_writer.messagepack(TENSORS), **changes)
    with pytest.raises(CheckpointError, match=message):
        export_model(str(folder), output=tmp_path / "out")


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"transformer": []}, "transformer"),
        ({"transformer": None}, "transformer None"),
        ({"transformer": {"d_model": [1] * 1000}}, "d_model"),
        ({"max_seq_length": "long"}, "the length of texts 'long'"),
        ({"seq_length": {"Some": 3}}, "the length of texts"),
    ],
)
def test_a_config_that_makes_no_sense(checkpoint: Path, tmp_path: Path, stated: dict[str, object], message: str) -> None:
    (checkpoint / "config.json").write_text(json.dumps(stated), "utf-8")
    with pytest.raises(CheckpointError, match=message):
        export_model(str(checkpoint), output=tmp_path / "out", source=SourceOptions(burn=BurnOptions(4, "first")))


@pytest.mark.parametrize(
    ("stated", "length"),
    [
        ({"max_seq_length": 12}, 12),
        ({"max_seq_length": 256}, 16),
        ({"seq_length": {"Fixed": 12}}, 12),
        ({"seq_length": {"Max": 10}}, 10),
        ({"seq_length": "NoMax"}, 16),
        ({}, 16),
    ],
)
def test_the_length_of_texts(checkpoint: Path, stated: dict[str, object], length: int) -> None:
    (checkpoint / "config.json").write_text(json.dumps(stated), "utf-8")
    classifier = open_classifier(checkpoint, source=SourceOptions(burn=BurnOptions(heads=4)))
    assert classifier.max_length == classifier.make_form(True).lengths[-1] == length


def _without(name: str) -> Tensors:
    return {other: tensor for other, tensor in TENSORS.items() if other != name}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"fc1.weight": np.zeros((2, 2), np.float32)}, r"missing: embedding_token\.weight, .*; unexpected: fc1\.weight"),
        (_without("transformer.layers.1.norm_2.beta"), r"missing: transformer\.layers\.1\.norm_2\.bias"),
        ({**TENSORS, "extra.weight": np.zeros(1, np.float32)}, r"unexpected: extra\.weight"),
        ({**TENSORS, "output.bias": np.zeros(7, np.float32)}, r"output\.bias \[7\] instead of \[3\]"),
        ({**TENSORS, "output.bias": np.array([1, np.nan, 0], np.float32)}, r"output\.bias holds NaN or infinite values$"),
        (
            {name: np.full_like(tensor, np.inf, dtype=np.float16) for name, tensor in TENSORS.items()},
            "half precision overflowed, save it in full precision",
        ),
        ({name: tensor.astype(np.float64) * 1e300 for name, tensor in TENSORS.items()}, "holds NaN or infinite values$"),
    ],
)
def test_a_record_of_another_model(tmp_path: Path, tensors: Tensors, message: str) -> None:
    folder = write(tmp_path / "sam", burn_writer.messagepack(tensors))
    with pytest.raises(CheckpointError, match=message):
        export_model(str(folder), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_several_records(checkpoint: Path) -> None:
    (checkpoint / "model.mpk").rename(checkpoint / "one.mpk")
    for name in ("optim-5.mpk", "scheduler-5.mpk"):
        (checkpoint / name).write_bytes(b"of training")
    assert_reads(checkpoint)
    (checkpoint / "two.mpk").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"several records \(one.mpk, two.mpk\)"):
        open_classifier(checkpoint)


def test_the_command(checkpoint: Path, tmp_path: Path) -> None:
    flags = ["--heads", "2", "--norm", "last", "--quiet-softmax", "off"]
    done = invoke("export", "--model", "sam", "--checkpoint", checkpoint, "--output", tmp_path / "out", *flags)
    assert done.returncode == 0, done.stderr.decode()
    assert_gives(tmp_path / "out", heads=2, first=False, form="off")
    done = invoke("predict", tmp_path / "out", stdin=b"the film was good\n")
    assert done.stdout.split(b"\t")[0] in {b"Negative", b"Neutral", b"Positive"}


@pytest.mark.parametrize("int8", [Int8Options(), Int8Options("per-tensor")], ids=["per-token", "per-tensor"])
def test_it_is_served(exports: Exports, int8: Int8Options) -> None:
    """Also in the scheme whose answers depend on the batch: there each text is run for itself."""
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    chosen = {} if int8 == Int8Options() else {"int8": int8}
    folder = exports("burn", precision="int8", **chosen).bundle.root
    classifier = load(folder)
    texts = [f"{'the film was not ' * (number % 3)}a {'good' if number % 2 else 'bad'} day" for number in range(48)]
    server = Running(str(folder))
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(server.predict, texts))
        together = server.predict(texts)
        explained = server.ask("POST", "/explain", b'{"text": "a good day"}')
        assert (explained.status, explained.contents["method"], explained.contents["runs"]) == (200, "occlusion", 4)
        assert server.ask("POST", "/explain", b'{"text": "a", "method": "attention"}').status == 422
        assert server.ask("GET", "/healthz").contents["attention"] is False
    finally:
        server.stop()
    for text, answer, other in zip(texts, answers, together.contents["predictions"], strict=True):
        alone = classifier(text)
        assert answer.contents["sentiment"] == other["sentiment"] == alone.label
        assert answer.contents["scores"] == pytest.approx(alone.scores, abs=1e-5)
        assert other["scores"] == pytest.approx(alone.scores, abs=1e-5)
