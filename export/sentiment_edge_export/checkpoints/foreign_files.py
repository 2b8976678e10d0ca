"""Folders and files that are not a checkpoint of a classifier: each is named, with what to do about it."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge_export.checkpoints.adapters import ADAPTER_CONFIG, check_no_adapter
from sentiment_edge_export.checkpoints.files import is_file, matches, may_be_weights
from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.errors import CheckpointError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

_MOST_FILES = 10_000
"""Files of a folder that are looked at; a checkpoint has a few dozen."""
_CONFIG, _MODULES = "config.json", "modules.json"
_TOKENIZER = ("tokenizer*", "vocab.*", "merges.txt", "*.model", "bpe.codes", "special_tokens_map.json", "added_tokens.json")
_ARCHIVES = ("*.zip", "*.tar", "*.tar.*", "*.tgz", "*.7z", "*.rar")
_QUANTIZED_BY = {"quantize_config.json": "gptq", "quant_config.json": "awq"}
"""Files beside quantized weights."""
_FEW = 3
"""Folders that a message names."""
_NUMBER = re.compile(r"\d+")
_CLASS = "AutoModelForSequenceClassification"


class _Kind(NamedTuple):
    """Files that an export does not read."""

    patterns: tuple[str, ...]
    text: str
    """Tells what they are, and what to do; FOLDER stands for where they are."""


def _converted(library: str, argument: str) -> str:
    advice = f"convert them with transformers 4, which has {library}'s classes, by"
    code = f'{_CLASS}.from_pretrained(FOLDER, {argument}=True).save_pretrained("converted")'
    return f"{advice} {code}; then export converted with `tokenizer` FOLDER"


_KINDS = (
    _Kind(("manifest.json",), "a bundle, already exported; export the checkpoint that it was made from"),
    _Kind(("*.gguf",), "weights in GGUF, llama.cpp's format; export the checkpoint of transformers that they were made from"),
    _Kind(("tf_model*.h5", "*.ckpt.index", "*.ckpt-*.index"), f"TensorFlow's weights; {_converted('TensorFlow', 'from_tf')}"),
    _Kind(("flax_model*.msgpack", "*.msgpack"), f"Flax's weights; {_converted('Flax', 'from_flax')}"),
    _Kind(
        ("saved_model.pb", "*/saved_model.pb", "*.keras", "*.h5", "*.tflite", "*.pb", "group*-shard*.bin"),
        "a model of TensorFlow without its definition in transformers; export the checkpoint that it was made from",
    ),
    _Kind(
        ("openvino_*.xml", "*/openvino_*.xml"),
        "a model for OpenVINO, already exported; export the checkpoint that it was made from",
    ),
    _Kind(("*.onnx",), "a model in ONNX, already exported; export the checkpoint that it was made from"),
    _Kind(
        ("*.mlmodel", "*.mlpackage", "*.mlpackage/*", "*.engine", "*.plan", "*.ot", "*.pte", "*.torchscript"),
        "a model made for another runtime; export the checkpoint that it was made from",
    ),
    _Kind(
        ("zero_to_fp32.py",),
        "DeepSpeed's shards of a training; join them first: python zero_to_fp32.py . . --safe_serialization",
    ),
    _Kind(
        ("*.distcp", "*/*.distcp"),
        "shards of a distributed training; join them first: python -m torch.distributed.checkpoint.format_utils dcp_to_torch "
        "FOLDER pytorch_model.bin",
    ),
    _Kind(
        ("*.ckpt",),
        "a checkpoint of Lightning, which holds more than tensors; load it there, and save its transformers model by "
        "save_pretrained",
    ),
    _Kind(
        ("*.pkl", "*.pickle", "*.joblib", "*.dill"),
        "a pickle, which would run code on loading; save the model's state_dict as model.safetensors",
    ),
)
"""Formats that stand for the weights, where there are no others."""


def check_folder(folder: Path, place: str | None = None, elsewhere: Callable[[], Iterable[str]] = tuple) -> None:
    """Check that a folder is not one of the kinds that are known not to be a classifier's checkpoint.

    Args:
        folder: the folder.
        place: its name in messages, if that is not its path.
        elsewhere: gives the paths of files that belong to it, but were not downloaded; asked only if there are no weights.

    Raises:
        CheckpointError: it is; the message says what it is and what to do.
    """
    place = place or str(folder)
    files = [path.name for path in islice(folder.glob("*"), _MOST_FILES)]
    if not files:
        raise CheckpointError(f"{place}: an empty folder; it needs {_CONFIG}, weights (model.safetensors) and a tokenizer")
    check_no_adapter(folder, files, place)
    stated = read_json(folder / _CONFIG)
    _check_is_no_embedder(place, files, stated)
    if method := _quantization(folder, stated):
        raise CheckpointError(
            f"{place}: quantized weights ({method}); export the model's unquantized weights, which the export quantizes itself"
        )
    if not any(map(may_be_weights, files)):
        _check_weights(place, [*_names(folder), *elsewhere()])


def _check_weights(place: str, names: Collection[str]) -> None:
    """Refuse files that hold no weights to export, by their names, if they are of a known kind."""
    if text := _explain(names, place):
        raise CheckpointError(f"{place}: {text}")
    if inner := _folders_with_weights(names):
        raise CheckpointError(f"{place}: no weights here, but in {_listed(inner)}; give the folder of one model")
    files = [name for name in names if "/" not in name]
    if _CONFIG not in files and any(matches(name, _TOKENIZER) for name in files):
        raise CheckpointError(f"{place}: only a tokenizer; the model's weights (model.safetensors) and {_CONFIG} are missing")


def check_is_no_file(path: Path) -> None:
    """Check that a path that should be a folder is not a file.

    Raises:
        CheckpointError: it is; the message says what to give instead.
    """
    if not is_file(path):
        return
    if matches(path.name, _ARCHIVES):
        raise CheckpointError(f"{path}: an archive; unpack it, and give the folder with {_CONFIG}")
    if text := _explain([path.name], str(path.parent)):
        raise CheckpointError(f"{path}: {text}")
    raise CheckpointError(f"{path}: a file; give the folder with the weights, {_CONFIG} and the tokenizer")


def _names(folder: Path) -> Iterator[str]:
    """Yield what is in a folder, and in its folders, two levels down, as paths with slashes."""
    found = (path for pattern in ("*", "*/*", "*/*/*") for path in folder.glob(pattern))
    for path in islice(found, _MOST_FILES):
        yield path.relative_to(folder).as_posix()


def _explain(names: Collection[str], folder: str) -> str | None:
    texts = (kind.text for kind in _KINDS if any(matches(name, kind.patterns) for name in names))
    return next((text.replace("FOLDER", repr(folder)) for text in texts), None)


def _folders_with_weights(names: Iterable[str]) -> list[str]:
    """Return the folders below that hold weights or an adapter, those of the longest training last."""
    parts = [name.rpartition("/") for name in names]
    found = {folder for folder, _, name in parts if folder and (may_be_weights(name) or name == ADAPTER_CONFIG)}
    return sorted(found, key=lambda name: [int(number) for number in _NUMBER.findall(name)])


def _listed(folders: list[str]) -> str:
    few = ", ".join(map(shown, folders[-_FEW:]))
    return few if len(folders) <= _FEW else f"{few} and {len(folders) - _FEW} more"


def _check_is_no_embedder(place: str, files: Collection[str], stated: Mapping[str, Any]) -> None:
    """Refuse SetFit's models and sentence-transformers' embeddings; their weights are an encoder's, their config a base's."""
    if "config_setfit.json" in files or {_MODULES, "model_head.pkl"} <= {*files}:
        raise CheckpointError(
            f"{place}: a SetFit model: sentence embeddings, and a head that is a pickle (model_head.pkl), which is never "
            f"loaded; label texts with it, train an {_CLASS} on these labels, and export that"
        )
    if _MODULES in files and "ForSequenceClassification" not in str(stated.get("architectures")):
        problem = "a sentence-transformers model: it makes embeddings, and has no classes"
        raise CheckpointError(f"{place}: {problem}; fine-tune it as an {_CLASS} first")


def _quantization(folder: Path, stated: Mapping[str, Any]) -> str | None:
    """Return the method by which the weights are quantized, as their files tell; None if they are not."""
    found = stated.get("quantization_config")
    entries = found if isinstance(found, dict) else {}
    by_file = next((method for name, method in _QUANTIZED_BY.items() if is_file(folder / name)), None)
    if not entries and by_file is None:
        return None
    bits = entries.get("bits", 4 if entries.get("load_in_4bit") else 8 if entries.get("load_in_8bit") else None)
    method = shown(entries.get("quant_method", by_file or "bitsandbytes"))
    return f"{method}, {bits} bits" if isinstance(bits, int) else method
