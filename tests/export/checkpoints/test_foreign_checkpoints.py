"""Folders and files that people take for a classifier's checkpoint: one line says what they are, and what to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch
from helpers.invocation import invoke
from helpers.tiny_checkpoints import tiny_tokenizer, tiny_weights, write_checkpoint
from helpers.tiny_encoders import tiny_model, write_encoder
from helpers.torch_answers import open_classifier
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForTokenClassification, BertModel, GPT2Config, GPT2ForSequenceClassification

from sentiment_edge.export import CheckpointError
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.checkpoints.foreign_files import check_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 267832558\n"
CODE = r"from peft import .*; merged = Adapter\.from_pretrained\('.*'{}\)\.merge_and_unload\(\); merged\.save_pretrained"
LORA = {"base_model_name_or_path": "roberta-base", "peft_type": "LORA", "task_type": "SEQ_CLS"}
Contents = dict[str, "bytes | dict[str, Any]"]
FOREIGN: dict[str, tuple[Contents, str]] = {
    "an adapter": (
        {"adapter_config.json": LORA},
        r"an adapter \(LORA\) for roberta-base, .*merge it into its base first: " + CODE.format(""),
    ),
    "an adapter of another task": (
        {"adapter_config.json": {**LORA, "task_type": "CAUSAL_LM"}, "adapter_model.bin": b""},
        "an adapter .* trained for CAUSAL_LM, which has no classes",
    ),
    "a prompt": ({"adapter_config.json": {**LORA, "peft_type": "P_TUNING"}}, "cannot be merged into its base"),
    "an adapter of AdapterHub": (
        {"adapter_config.json": {"model_name": "bert-base-uncased"}, "pytorch_adapter.bin": b""},
        "an adapter for bert-base-uncased, .*layers that cannot be merged",
    ),
    "an adapter beside weights": (
        {"adapter_config.json": LORA, "adapter_model.safetensors": b"", "model.safetensors": b"", "config.json": {}},
        "an adapter .* beside whole weights",
    ),
    "SetFit": (
        {
            "model_head.pkl": b"",
            "modules.json": b"[]",
            "model.safetensors": b"",
            "config.json": {"architectures": ["MPNetModel"]},
        },
        "a SetFit model: .*pickle.* never loaded; .*train",
    ),
    "embeddings": (
        {"modules.json": b"[]", "model.safetensors": b"", "config.json": {"architectures": ["BertModel"]}},
        "a sentence-transformers model: .*no classes; fine-tune",
    ),
    "TensorFlow": (
        {"config.json": {"model_type": "bert"}, "tf_model.h5": b""},
        r"TensorFlow's weights; convert .*/model', from_tf=True\).*--tokenizer '",
    ),
    "TensorFlow 1": ({"model.ckpt-9.index": b"", "model.ckpt-9.data-00000-of-00001": b""}, r"TensorFlow's weights; convert"),
    "SavedModel": ({"saved_model.pb": b"", "variables/variables.index": b""}, "a model of TensorFlow without its definition"),
    "Keras": ({"model.keras": b""}, "a model of TensorFlow without its definition"),
    "TensorFlow.js": ({"group1-shard1of2.bin": b"", "group1-shard2of2.bin": b""}, "a model of TensorFlow"),
    "Flax": ({"flax_model.msgpack": b"", "config.json": {"model_type": "bert"}}, r"Flax's weights; convert .*from_flax=True"),
    "ONNX": ({"model.onnx": b"", "config.json": {"model_type": "bert"}}, "a model in ONNX, already exported"),
    "ONNX below": ({"onnx/model.onnx": b"", "config.json": {"model_type": "bert"}}, "a model in ONNX, already exported"),
    "OpenVINO": ({"openvino_model.xml": b"", "openvino_model.bin": b"\0"}, "a model for OpenVINO, already exported"),
    "GGUF": ({"bert-q4_k_m.gguf": b"GGUF"}, "weights in GGUF, .*export the checkpoint"),
    "Rust": ({"rust_model.ot": b"", "config.json": {"model_type": "bert"}}, "made for another runtime"),
    "a bundle": ({"manifest.json": {}, "onnx/model.onnx": b"", "config.json": {}}, "a bundle, already exported"),
    "DeepSpeed": (
        {"zero_to_fp32.py": b"", "global_step9/mp_rank_00_model_states.pt": b""},
        "join them first: python zero_to_fp32.py",
    ),
    "FSDP": ({"pytorch_model_fsdp_0/__0_0.distcp": b""}, "join them first: python -m torch.distributed"),
    "Lightning": ({"epoch=3-step=12.ckpt": b""}, "a checkpoint of Lightning"),
    "a pickle": ({"model.joblib": b""}, "a pickle, which would run code"),
    "empty": ({}, "an empty folder; it needs config.json"),
    "a tokenizer": ({"tokenizer.json": {}, "tokenizer_config.json": {}}, "only a tokenizer"),
    "a config": (
        {"config.json": {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}},
        "no weights here",
    ),
    "a training": (
        {f"checkpoint-{step}/model.safetensors": b"" for step in (500, 1000, 1500, 20)},
        "no weights here, but in checkpoint-500, checkpoint-1000, checkpoint-1500 and 1 more; give the folder of one model",
    ),
    "a cache of the Hub": ({"snapshots/0123/model.safetensors": b""}, "no weights here, but in snapshots/0123"),
    "bitsandbytes": (
        {"config.json": {"quantization_config": {"load_in_4bit": True}}},
        r"quantized weights \(bitsandbytes, 4 bits\)",
    ),
    "GPTQ": (
        {"config.json": {"quantization_config": {"quant_method": "gptq", "bits": 4}}},
        r"\(gptq, 4 bits\); export .* unquantized",
    ),
    "AWQ": ({"config.json": {}, "quant_config.json": {"w_bit": 4}}, r"quantized weights \(awq\)"),
    "fp8": ({"config.json": {"quantization_config": {"quant_method": "fp8"}}}, r"quantized weights \(fp8\)"),
    "several": (
        {"a.safetensors": b"", "b.safetensors": b"", "config.json": {}},
        r"several weight files \(a\.safetensors, b\.saf",
    ),
    "no index": (
        {f"pytorch_model-0000{part}-of-00002.bin": b"" for part in (1, 2)} | {"config.json": {}},
        r"shards without their index \(model\.safetensors\.index\.json or ",
    ),
    "a pointer for weights": ({"model.safetensors": POINTER, "config.json": {}}, r"model\.safetensors: .*run git lfs pull"),
    "a pointer for a pickle": ({"pytorch_model.bin": POINTER, "config.json": {}}, r"pytorch_model\.bin: .*run git lfs pull"),
    "a pointer for a record": ({"model.mpk": POINTER}, r"model\.mpk: .*run git lfs pull"),
    "a pointer for a config": ({"config.json": POINTER, "model.safetensors": b""}, r"config\.json: .*run git lfs pull"),
}
FILES = {
    "model.safetensors": "a file; give the folder with the weights",
    "model.zip": "an archive; unpack it",
    "model.tar.gz": "an archive; unpack it",
    "model.gguf": "weights in GGUF",
    "model.onnx": "a model in ONNX",
}


def write(folder: Path, contents: Contents) -> Path:
    folder.mkdir(parents=True)
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return folder


def is_refused(checkpoint: Path, output: Path, message: str) -> None:
    """The command ends in one line with the checkpoint's path, without anything but the reason and what to do."""
    done = invoke("export", "--model", checkpoint, "--output", output, stdin=b"y\ny\n")
    assert (done.returncode, done.stdout) == (1, b""), done.stderr.decode()
    (line,) = done.stderr.decode().splitlines()
    assert re.search(message, line), line
    assert line.startswith(f"sentiment-edge: {checkpoint}")
    assert not re.search(r"(?<!\w)\( *\)|: *\)|Traceback|None", line), line
    assert not output.exists()


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_folder_is_named(tmp_path: Path, kind: str) -> None:
    contents, message = FOREIGN[kind]
    is_refused(write(tmp_path / "model", contents), tmp_path / "out", message)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\0")
    is_refused(tmp_path / name, tmp_path / "out", FILES[name])


def test_nothing_else_is_said_or_asked(tmp_path: Path) -> None:
    """In a process of its own, which shows the warnings of every library."""
    folders = [write(tmp_path / str(number), contents) for number, (contents, _) in enumerate(FOREIGN.values())]
    folders += [decoder(tmp_path / "decoder"), write_encoder(tmp_path / "pairs", cross_encoder(1))]
    script = """
import sys
from sentiment_edge.cli import app
for folder in sys.argv[1:]:
    try:
        app(["export", "--model", folder, "--output", folder + ".out"], prog_name="sentiment-edge")
    except SystemExit as end:
        assert end.code == 1, folder
"""
    warned = {**os.environ, "PYTHONWARNINGS": "default"}
    command = [sys.executable, "-c", script, *map(str, folders)]
    done = subprocess.run(command, input=b"y\n" * 99, capture_output=True, check=False, timeout=600, env=warned)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr.decode()
    lines = done.stderr.decode().splitlines()
    assert len(lines) == len(folders), done.stderr.decode()
    assert all(line.startswith(f"sentiment-edge: {folder}") for line, folder in zip(lines, folders, strict=True))


def test_adapters_of_a_training_are_named_by_their_folders(tmp_path: Path) -> None:
    for step in ("checkpoint-500", "checkpoint-1000"):
        write(tmp_path / "run" / step, {"adapter_config.json": LORA})
    is_refused(tmp_path / "run", tmp_path / "out", "no weights here, but in checkpoint-500, checkpoint-1000; give the folder")


@pytest.mark.parametrize("before", ["classifier.dense", "pre_classifier"])
def test_classes_of_an_adapter_are_in_the_code(tmp_path: Path, before: str) -> None:
    folder = write(tmp_path / "lora", {"adapter_config.json": LORA, "tokenizer.json": {}})
    last = "classifier" if before.startswith("pre") else "classifier.out_proj"
    layers = {f"base_model.model.{name}.weight": torch.zeros(size, 8) for name, size in ((before, 8), (last, 5))}
    save_file(layers, folder / "adapter_model.safetensors")
    is_refused(folder, tmp_path / "out", CODE.format(", num_labels=5") + rf".*with --tokenizer {re.escape(str(folder))}")


@given(
    st.dictionaries(
        st.text(
            st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
        ).filter(lambda name: name not in (".", "..")),
        st.sampled_from([b"", b"{}", b"[]", POINTER, b"null", b'{"peft_type": 3, "quantization_config": 7}']),
        max_size=4,
    )
)
def test_any_names_of_files(tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, data in {**contents, "adapter_config.json": b"{}"}.items():
        (folder / name).write_bytes(data)
    with pytest.raises(CheckpointError) as caught:
        check_folder(folder)
    assert "\n" not in str(caught.value).replace(str(folder), "")


def decoder(folder: Path) -> Path:
    config = GPT2Config(vocab_size=22, n_embd=8, n_head=2, n_layer=1, n_positions=16, pad_token_id=0)
    return write_encoder(folder, GPT2ForSequenceClassification(config))


def bert_config() -> BertConfig:
    config = tiny_model("bert").config
    assert isinstance(config, BertConfig)
    return config


def cross_encoder(outputs: int) -> Any:
    names = {number: f"LABEL_{number}" for number in range(outputs)}
    activation = {"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"}
    return tiny_model("bert", id2label=names, sentence_transformers=activation)


class TestModels:
    """Checkpoints that are whole, but of another task or kind."""

    def test_a_decoder(self, tmp_path: Path) -> None:
        is_refused(
            decoder(tmp_path / "gpt2"), tmp_path / "out", "gpt2 is a decoder.* reads the last; export a classifier on an enc"
        )

    @pytest.mark.parametrize(
        ("stated", "message"),
        [
            ({"architectures": ["Qwen2ForSequenceClassification"], "model_type": "qwen2"}, "qwen2 is a decoder"),
            ({"architectures": ["LlamaForSequenceClassification"], "model_type": "llama"}, "llama is a decoder"),
            ({"is_decoder": True}, "bert is a decoder here"),
            ({"architectures": ["Mistral4ForSequenceClassification"], "model_type": "mistral4"}, "mistral4 is a decoder"),
            ({"model_type": "modernvbert", "vision_config": {"hidden_size": 8}}, "reads images and their texts"),
            ({"architectures": ["BartForSequenceClassification"], "model_type": "bart"}, "bart is an encoder with a decoder"),
            ({"architectures": ["T5ForSequenceClassification"], "model_type": "t5"}, "t5 is an encoder with a decoder"),
            ({"architectures": ["LEDForSequenceClassification"], "model_type": "led"}, "led is an encoder with a decoder"),
            (
                {"architectures": ["LongformerForSequenceClassification"], "model_type": "longformer"},
                "Longformer cuts a text into",
            ),
            ({"architectures": ["FunnelForSequenceClassification"], "model_type": "funnel"}, "Funnel shortens a text"),
            ({"architectures": ["ReformerForSequenceClassification"], "model_type": "reformer"}, "Reformer sorts"),
            ({"architectures": ["BigBirdForSequenceClassification"], "model_type": "big_bird"}, "original_full.* 704 tokens"),
            ({"architectures": ["XmodForSequenceClassification"], "model_type": "xmod"}, 'say which by "default_language"'),
            (
                {"architectures": ["BertForTokenClassification"]},
                "BertForTokenClassification .*: it labels tokens, not texts; fine",
            ),
            ({"architectures": ["BertForMaskedLM"]}, "BertForMaskedLM .*: it fills in masked words"),
            ({"architectures": ["BertForQuestionAnswering"]}, "BertForQuestionAnswering .*: it finds answers"),
            ({"architectures": ["BertModel"]}, "BertModel .*: it is pretrained only"),
            ({"architectures": None, "model_type": ["bert"]}, r"unknown architecture \(\['bert'\]\)"),
            ({"architectures": ["OurOwnClassifier"]}, r"unknown architecture \(OurOwnClassifier\); known are: "),
        ],
    )
    def test_another_architecture(self, tmp_path: Path, stated: dict[str, Any], message: str) -> None:
        folder = write_encoder(tmp_path / "model", tiny_model("bert"))
        change(folder, **stated)
        is_refused(folder, tmp_path / "out", message)

    def test_a_cross_encoder_has_no_classes(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "pairs", cross_encoder(1))
        is_refused(folder, tmp_path / "out", "a CrossEncoder, which scores how well two texts fit")

    def test_classes_of_pairs_get_a_note(self, tmp_path: Path) -> None:
        notes = open_classifier(write_encoder(tmp_path / "pairs", cross_encoder(3))).notes
        assert any("pairs of texts" in note for note in notes)

    def test_no_config(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "model", tiny_model("bert"))
        (folder / "config.json").unlink()
        is_refused(folder, tmp_path / "out", r"no config\.json, which tells the architecture; copy it")

    def test_a_base_model(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "model", tiny_model("bert"))
        BertModel(bert_config()).save_pretrained(tmp_path / "base")
        for base in (tmp_path / "base" / "model.safetensors", folder / "model.safetensors"):
            weights = load_file(base)
            kept = {name: tensor for name, tensor in weights.items() if not name.startswith("classifier.")}
            save_file(kept, folder / "model.safetensors", {"format": "pt"})
            message = r"these weights have no classifier \(no classifier\.weight\): a pretrained base model; fine-tune it first"
            is_refused(folder, tmp_path / "out", message)

    def test_a_pointer_for_a_tokenizer(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "model", tiny_model("bert"))
        for name in ("spiece.model", "tokenizer.json"):
            (folder / name).write_bytes(POINTER)
            is_refused(folder, tmp_path / "out", rf"{re.escape(name)}: .*run git lfs pull")
            (folder / name).unlink()


def change(folder: Path, **stated: Any) -> None:
    path = folder / "config.json"
    contents = {**json.loads(path.read_text("utf-8")), **stated}
    path.write_text(json.dumps({name: value for name, value in contents.items() if value is not None}), "utf-8")


class TestWithoutArchitectures:
    """A config that names no class: the weights tell the task."""

    def test_a_classifier_of_tokens(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "tokens", BertForTokenClassification(bert_config()))
        change(folder, architectures=None)
        is_refused(folder, tmp_path / "out", "names no architectures, and the weights are of a classifier of tokens")

    def test_labels_of_tokens(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "old", tiny_model("bert", id2label={0: "O", 1: "B-PER"}))
        change(folder, architectures=None)
        is_refused(folder, tmp_path / "out", "the weights are of a classifier of tokens")

    def test_weights_that_could_be_of_either(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "either", tiny_model("modernbert"))
        change(folder, architectures=[])
        is_refused(folder, tmp_path / "out", r'add "architectures": \["ModernBertForSequenceClassification"\]')

    def test_a_base_model(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "base", BertModel(bert_config()))
        change(folder, architectures=None)
        is_refused(folder, tmp_path / "out", "these weights have no classifier")


@pytest.mark.parametrize(("name", "contents"), [("tf_model.h5", b""), ("model.gguf", b"GGUF"), ("model_head.pkl", b"")])
def test_other_formats_beside_weights_are_passed_over(tmp_path: Path, name: str, contents: bytes) -> None:
    folder = write_checkpoint(tmp_path / "tiny", tiny_weights())
    (folder / name).write_bytes(contents)
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(contents)
    assert find_checkpoint(str(folder)).weights


def test_pointers_that_nobody_reads_are_passed_over(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "tiny", tiny_weights())
    for name in ("pytorch_model.bin", "tf_model.h5"):
        (folder / name).write_bytes(POINTER)
    assert find_checkpoint(str(folder)).weights
    assert find_checkpoint(str(folder)).tokenizer.library.to_str() == tiny_tokenizer().to_str()


def test_published_cases(shared: Callable[[str], Path], tmp_path: Path) -> None:
    for case, message in {"peft": "roberta-base", "gpt2": "decoder", "longformer": "Longformer"}.items():
        is_refused(shared(f"cases/checkpoints/{case}"), tmp_path / "out", message)
