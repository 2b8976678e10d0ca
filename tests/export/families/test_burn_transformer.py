"""The Burn transformer, exported: from every format of record, in every form of its attention."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from math import erf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from helpers import burn_writer
from helpers.burn_writer import tiny_tensors, write_model
from helpers.running_server import Running
from helpers.support import Command
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer

from sentiment_edge import load
from sentiment_edge.export import BurnOptions, CheckpointError, ExportError, export_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpers.burn_writer import Tensors
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.vocabulary import Quantization

VOCABULARY = [*SPECIAL, *PIECES]
TENSORS = tiny_tensors(vocabulary=len(VOCABULARY))
TEXTS = [
    "the film was good",
    "it was not a good day!",
    "bad",
    "the long film and the long day was bad, and it was long . . . !",
    "a [PAD] b",
]


def softmax(scores: NDArray[np.float64], form: str) -> NDArray[np.float64]:
    """Burn's three, from its documentation."""
    largest = scores.max(axis=-1, keepdims=True)
    exponentials = np.exp(scores - largest)
    extra = {"off": 0, "legacy": 1, "softmax1": np.exp(-largest)}[form]
    result: NDArray[np.float64] = exponentials / (exponentials.sum(axis=-1, keepdims=True) + extra)
    return result


def in_numpy(
    tensors: Tensors, text: str, form: str = "legacy", *, heads: int = 4, first: bool = True, early: bool = False
) -> Any:
    """The model written down once more, in float64 and without torch."""
    ids = np.array(tiny_tokenizer().encode(text).ids[:16])
    weights = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}

    def linear(name: str, x: Any) -> Any:
        return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def norm(name: str, x: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        divisor = np.sqrt(variance) + 1e-5 if early else np.sqrt(variance + 1e-5)
        return centred / divisor * weights[f"{name}.gamma"] + weights[f"{name}.beta"]

    def attend(layer: str, x: Any) -> Any:
        query, key, value = (
            linear(f"{layer}.mha.{part}", x).reshape(len(ids), heads, -1).swapaxes(0, 1) for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1])
        scores[:, :, ids == 0] = -1e4
        return linear(f"{layer}.mha.output", (softmax(scores, form) @ value).swapaxes(0, 1).reshape(len(ids), -1))

    def feed(layer: str, x: Any) -> Any:
        inner = linear(f"{layer}.pwff.linear_inner", x)
        return linear(f"{layer}.pwff.linear_outer", inner * (np.vectorize(erf)(inner / np.sqrt(2)) + 1) / 2)

    x = (weights["embedding_pos.weight"][: len(ids)] + weights["embedding_token.weight"][ids]) / 2
    for layer in ("transformer.layers.0", "transformer.layers.1"):
        if first:
            x = x + attend(layer, norm(f"{layer}.norm_2", x))
            x = x + feed(layer, norm(f"{layer}.norm_1", x))
        else:
            x = norm(f"{layer}.norm_1", x + attend(layer, x))
            x = norm(f"{layer}.norm_2", x + feed(layer, x))
    return linear("output", x)[0]


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


@pytest.mark.parametrize("name", burn_writer.FORMATS)
def test_every_format_gives_the_same_model(tmp_path: Path, name: str) -> None:
    early = name == "early.mpk"
    folder = write(tmp_path / "sam", burn_writer.FORMATS[name](TENSORS), name)
    export_model(str(folder), output=tmp_path / "out")
    later = name == "model.bpk"  # only Burn 0.20 and later align tensors
    assert_gives(tmp_path / "out", form="softmax1" if later else "legacy", early=early)


def test_safetensors_turned_to_torch_s_layout(tmp_path: Path) -> None:
    folder = write(tmp_path / "sam", burn_writer.safetensors_as_in_torch(TENSORS), "model.safetensors")
    export_model(str(folder), output=tmp_path / "out")
    assert_gives(tmp_path / "out")


@pytest.mark.parametrize(
    ("version", "options", "config", "form", "fusion"),
    [
        ("0.19.1", BurnOptions(), {}, "legacy", True),
        ("0.20.0-pre.4", BurnOptions(), {}, "legacy", True),
        ("0.20.0-pre.5", BurnOptions(), {}, "softmax1", True),
        ("0.20.0", BurnOptions(), {}, "softmax1", True),
        ("0.21.0", BurnOptions(), {"activation": "Gelu", "layer_norm_eps": 1e-5}, "softmax1", False),
        ("0.18.0", BurnOptions(), {"quiet_softmax": False}, "off", True),
        ("0.18.0", BurnOptions(), {"quiet_softmax": False}, "off", False),
        ("0.18.0", BurnOptions(quiet_softmax="softmax1"), {}, "softmax1", True),
        ("0.21.0", BurnOptions(quiet_softmax="legacy"), {}, "legacy", True),
    ],
)
def test_the_form_of_the_softmax(
    tmp_path: Path, version: str, options: BurnOptions, config: dict[str, Any], form: str, fusion: bool
) -> None:
    folder = write(tmp_path / "sam", burn_writer.messagepack(TENSORS, version), **config)
    report = export_model(str(folder), output=tmp_path / "out", burn=options, fusion=fusion)
    assert report.bundle.manifest.nodes.get("MultiHeadAttention", 0) == (2 if fusion and form != "legacy" else 0)
    assert_gives(tmp_path / "out", form=form)


@pytest.mark.parametrize(("options", "config"), [(BurnOptions(), {"norm_first": False}), (BurnOptions(norm_first=False), {})])
def test_norms_last(tmp_path: Path, options: BurnOptions, config: dict[str, Any]) -> None:
    folder = write(tmp_path / "sam", burn_writer.messagepack(TENSORS), **config)
    export_model(str(folder), output=tmp_path / "out", burn=options)
    assert_gives(tmp_path / "out", first=False)


def test_without_a_config_the_card_s_values_are_taken_and_said(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "config.json").unlink()
    report = export_model(str(checkpoint), output=tmp_path / "out")
    assert report.bundle.manifest.labels == ("Negative", "Neutral", "Positive")
    assert any("8 heads and norm first are assumed" in note for note in report.notes)
    assert_gives(tmp_path / "out", heads=8)
    export_model(str(checkpoint), output=tmp_path / "out", burn=BurnOptions(heads=2), overwrite=True)
    assert_gives(tmp_path / "out", heads=2)


def test_int8(checkpoint: Path, tmp_path: Path) -> None:
    report = export_model(str(checkpoint), precision="int8", output=tmp_path / "out")
    assert report.parity.passed
    assert report.bundle.manifest.nodes == {"LayerNormalization": 4, "Gelu": 2}


def test_a_fixed_length_cuts_as_burn_cuts(checkpoint: Path, tmp_path: Path) -> None:
    export_model(str(checkpoint), output=tmp_path / "out", fixed_length=8, fixed_batch=2)
    classifier = load(tmp_path / "out")
    assert [prediction.truncated for prediction in classifier(["good " * 20, "good " * 6, "good"])] == [True, False, False]


def test_a_long_text_is_cut_as_burn_cuts(checkpoint: Path, tmp_path: Path) -> None:
    """After 16 tokens: neither the last word nor the [SEP] of a longer text is read."""
    export_model(str(checkpoint), output=tmp_path / "out")
    classifier = load(tmp_path / "out")
    straddling = "goods " * 20_000  # good, ##s: the cut falls into a word
    np.testing.assert_allclose(classifier.logits([straddling])[0], in_numpy(TENSORS, straddling), atol=1e-4)
    for words, truncated in ((14, False), (15, False), (16, True), (40, True), (20_000, True)):
        text = "good bad film " * (words // 3) + "day " * (words % 3)
        np.testing.assert_allclose(classifier.logits([text])[0], in_numpy(TENSORS, text), atol=1e-4)
        assert classifier(text).truncated is truncated


class TestTokenizers:
    @pytest.fixture
    def untokenized(self, checkpoint: Path) -> Path:
        (checkpoint / "tokenizer.json").unlink()
        return checkpoint

    def test_a_missing_one_is_named(self, untokenized: Path, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match=r"no tokenizer\.json; .* by --tokenizer"):
            export_model(str(untokenized), output=tmp_path / "out")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("kind", ["folder", "tokenizer.json", "vocab.txt"])
    def test_one_may_be_given(self, untokenized: Path, tmp_path: Path, kind: str) -> None:
        folder = tmp_path / "tokenizer"
        folder.mkdir()
        tiny_tokenizer().save(str(folder / "tokenizer.json"))
        (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
        export_model(str(untokenized), output=tmp_path / "out", tokenizer=folder if kind == "folder" else folder / kind)
        assert_gives(tmp_path / "out", TEXTS[:-1])  # for a tokenizer made of vocab.txt, [PAD] in a text is special

    @pytest.mark.parametrize(("piece", "lowercased"), [("Film", False), ("film", True)])
    def test_a_vocabulary_with_capitals_keeps_them(
        self, untokenized: Path, tmp_path: Path, piece: str, lowercased: bool
    ) -> None:
        pieces = [*SPECIAL, *(piece if word == "film" else word for word in PIECES)]
        vocabulary = tmp_path / "vocab.txt"
        vocabulary.write_text("\n".join(pieces) + "\n", "utf-8")
        export_model(str(untokenized), output=tmp_path / "out", tokenizer=vocabulary)
        classifier = load(tmp_path / "out")
        lower, upper = classifier.logits(["film", "Film"])
        assert np.array_equal(lower, upper) is lowercased

    @pytest.mark.parametrize(
        ("name", "contents", "message"),
        [
            ("vocab.txt", "good\nbad\n", "not a vocabulary of BERT"),
            ("vocab.txt", "\n".join(VOCABULARY[:-1]), "21 pieces, the embedding 22 rows"),
            ("vocab.txt", "\n".join([*VOCABULARY, "more"]), "token 22, the embedding 22 rows"),
            ("vocab.txt", b"\xff\xfe", "not a vocabulary"),
            ("vocab.txt", "\n".join([*VOCABULARY[:-2], "\u2028"]), "21 pieces, the embedding 22 rows"),
            ("tokenizer.json", "{}", "not a tokenizer"),
            ("absent.json", None, "no such tokenizer"),
        ],
    )
    def test_one_that_does_not_fit(
        self, untokenized: Path, tmp_path: Path, name: str, contents: str | bytes | None, message: str
    ) -> None:
        path = tmp_path / name
        if contents is not None:
            path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        with pytest.raises(CheckpointError, match=message):
            export_model(str(untokenized), output=tmp_path / "out", tokenizer=path)
        assert not (tmp_path / "out").exists()


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
        export_model(str(checkpoint), output=tmp_path / "out", burn=BurnOptions(heads=4, norm_first=True))


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
def test_the_length_of_texts(checkpoint: Path, tmp_path: Path, stated: dict[str, object], length: int) -> None:
    (checkpoint / "config.json").write_text(json.dumps(stated), "utf-8")
    report = export_model(str(checkpoint), output=tmp_path / "out", burn=BurnOptions(heads=4))
    assert report.bundle.manifest.max_length == length


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


def test_several_records(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "model.mpk").rename(checkpoint / "one.mpk")
    for name in ("optim-5.mpk", "scheduler-5.mpk"):
        (checkpoint / name).write_bytes(b"of training")
    export_model(str(checkpoint), output=tmp_path / "out")
    (checkpoint / "two.mpk").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"several records \(one.mpk, two.mpk\)"):
        export_model(str(checkpoint), output=tmp_path / "out", overwrite=True)


def test_options_of_other_families(checkpoint: Path, tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="for the GRU"):
        export_model(str(checkpoint), output=tmp_path / "out", padding="padded")
    with pytest.raises(ExportError, match="Burn transformers only"):
        export_model(str(tiny), output=tmp_path / "out", burn=BurnOptions(heads=2))


def test_the_command(checkpoint: Path, command: Command, tmp_path: Path) -> None:
    flags = ["--heads", "2", "--norm", "last", "--quiet-softmax", "off"]
    done = command("export", "--model", "sam", "--checkpoint", checkpoint, "--output", tmp_path / "out", *flags)
    assert done.returncode == 0, done.stderr.decode()
    assert_gives(tmp_path / "out", heads=2, first=False, form="off")
    done = command("predict", tmp_path / "out", stdin=b"the film was good\n")
    assert done.stdout.split(b"\t")[0] in {b"Negative", b"Neutral", b"Positive"}


@pytest.mark.parametrize("quantization", ["per-token", "per-tensor"])
def test_it_is_served(checkpoint: Path, tmp_path: Path, quantization: Quantization) -> None:
    """Also in the scheme whose answers depend on the batch: there each text is run for itself."""
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    export_model(str(checkpoint), precision="int8", quantization=quantization, output=tmp_path / "out")
    classifier = load(tmp_path / "out")
    texts = [f"{'the film was not ' * (number % 3)}a {'good' if number % 2 else 'bad'} day" for number in range(48)]
    server = Running(str(tmp_path / "out"))
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(server.predict, texts))
        together = server.predict(texts)
        assert server.ask("POST", "/explain", b'{"text": "a"}').status == 404
        assert server.ask("GET", "/healthz").contents["attention"] is False
    finally:
        server.stop()
    for text, answer, other in zip(texts, answers, together.contents["predictions"], strict=True):
        alone = classifier(text)
        assert answer.contents["sentiment"] == other["sentiment"] == alone.label
        assert answer.contents["scores"] == pytest.approx(alone.scores, abs=1e-5)
        assert other["scores"] == pytest.approx(alone.scores, abs=1e-5)


class TestInspect:
    @pytest.mark.parametrize(
        ("name", "shape"),
        [("model.mpk", "16 x 24"), ("model.bpk", "16 x 24"), ("model.safetensors", "16 x 24")],
    )
    def test_a_file_s_tensors(self, command: Command, tmp_path: Path, name: str, shape: str) -> None:
        path = tmp_path / name
        path.write_bytes(burn_writer.FORMATS[name](TENSORS))
        done = command("models", "--inspect", path)
        assert done.returncode == 0, done.stderr.decode()
        lines = [line.split(maxsplit=2) for line in done.stdout.decode().splitlines()]
        assert len(lines) == len(TENSORS)
        assert ["transformer.layers.0.pwff.linear_inner.weight", "float32", shape] in lines
        rows = json.loads(command("models", "--inspect", path, "--json").stdout)
        assert {row["name"]: tuple(row["shape"]) for row in rows} == {name: array.shape for name, array in TENSORS.items()}

    def test_a_file_of_torch(self, command: Command, saved_as: Callable[[object], Path]) -> None:
        folder = saved_as({"a.weight": torch.zeros(2, 3, dtype=torch.bfloat16)})
        assert command("models", "--inspect", folder / "last.pth").stdout == b"a.weight  bfloat16  2 x 3\n"

    @pytest.mark.parametrize(("contents", "reason"), [(b"text", b"not a record of Burn"), (None, b"No such file")])
    def test_another_file(self, command: Command, tmp_path: Path, contents: bytes | None, reason: bytes) -> None:
        path = tmp_path / "file"
        if contents is not None:
            path.write_bytes(contents)
        done = command("models", "--inspect", path)
        assert (done.returncode, done.stdout) == (1, b"")
        assert reason in done.stderr
        assert done.stderr.count(b"\n") == 1
