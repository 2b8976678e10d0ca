"""Readers of checkpoints: weights in all their formats, configs, and the listing of tensors."""

from __future__ import annotations

import io
import json
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from helpers import burn_writer
from helpers.support import SHARED
from helpers.tiny_checkpoints import PIECES, SPECIAL, tiny_tokenizer, tiny_weights, write_checkpoint
from helpers.tiny_encoders import tiny_electra, tiny_model, write_electra, write_encoder
from safetensors.torch import save

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.checkpoints.inspection import list_tensors
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.options import ExportOptions, GateOptions, GraphOptions, Int8Options, SourceOptions
from tools.hostile.damage.formats import (
    damage_burnpack,
    damage_gzip,
    damage_messagepack,
    damage_pickle,
    damage_safetensors,
    damage_zip,
)
from tools.hostile.damage.raw import damage_bytes, pick
from tools.hostile.damage.tree import damage_json, damage_sizes
from tools.hostile.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Files = dict[str, bytes]

_OPTIONS = ExportOptions("fp32", ("onnxruntime",), SourceOptions(offline=True), GraphOptions(), Int8Options(), GateOptions())
_WEIGHTS, _CONFIG, _INDEX = "model.safetensors", "config.json", "model.safetensors.index.json"
_RECORDS, _CASES = SHARED / "data/burn-records", SHARED / "cases/checkpoints"
_SMALL = 2**21
"""Bytes of a record that is damaged often enough to be read often."""
_TEXT = "it was not a good film"
_BURN: dict[str, Callable[[Random, bytes], bytes]] = {
    "model.mpk": damage_messagepack,
    "early.mpk": damage_messagepack,
    "model.mpk.gz": damage_gzip,
    "model.json": damage_json,
    "model.bpk": damage_burnpack,
    "early.bpk": damage_burnpack,
    "model.safetensors": damage_safetensors,
}
"""The damage for each of `burn_writer.FORMATS`."""


@cache
def seeds() -> dict[str, Files]:
    """Return the files of a tiny sound checkpoint of each kind."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folders = {
            "gru": write_checkpoint(root / "gru", tiny_weights(n_layers=2), n_layers=2, hidden_dim=20),
            "electra": write_electra(root / "electra", tiny_electra()),
            "bert": write_encoder(root / "bert", tiny_model("bert")),
            "distilbert": write_encoder(root / "distilbert", tiny_model("distilbert")),
            "deberta": write_encoder(root / "deberta", tiny_model("deberta-v2")),
            "burn": burn_writer.write_model(root / "burn", _burn_record("model.mpk")),
        }
        tiny_tokenizer().save(str(folders["burn"] / "tokenizer.json"))
        return {kind: {path.name: path.read_bytes() for path in folder.iterdir()} for kind, folder in folders.items()}


def write(folder: Path, files: Files) -> None:
    """Write a checkpoint's files."""
    for name, data in files.items():
        (folder / name).write_bytes(data)


def use(folder: Path) -> None:
    """Read a checkpoint as an export does, up to its answer to a text."""
    checkpoint = find_checkpoint(str(folder), _OPTIONS.source)
    classifier = load_classifier(checkpoint, _OPTIONS)
    ids = checkpoint.tokenizer.ids(_TEXT, classifier.max_length, classifier.truncation)
    classifier.reference(torch.tensor(ids))
    checkpoint.licence  # noqa: B018 - it is read from the model card


@cache
def _burn_record(name: str) -> bytes:
    return burn_writer.FORMATS[name](burn_writer.tiny_tensors(vocabulary=len(SPECIAL) + len(PIECES)))


@cache
def _torch_file(*, is_zip: bool) -> bytes:
    written = io.BytesIO()
    torch.save(tiny_weights(n_layers=2), written, _use_new_zipfile_serialization=is_zip)
    return written.getvalue()


@cache
def _shards() -> Files:
    """Return the weights of the GRU in two shards, and their index."""
    weights = tiny_weights(n_layers=2)
    halves = ([*weights][::2], [*weights][1::2])
    shards = {f"model-{number}.safetensors": save({name: weights[name] for name in half}) for number, half in enumerate(halves)}
    places = {name: f"model-{number}.safetensors" for number, half in enumerate(halves) for name in half}
    index = {"metadata": {"total_size": 1000}, "weight_map": places}
    return {**shards, _INDEX: json.dumps(index).encode()}


def _without_weights() -> Files:
    return {name: data for name, data in seeds()["gru"].items() if name != _WEIGHTS}


def _make_safetensors(random: Random, folder: Path) -> None:
    files = seeds()[random.choice(("gru", "gru", "electra", "bert"))]
    write(folder, files | {_WEIGHTS: damage_safetensors(random, files[_WEIGHTS])})


def _make_torch_file(random: Random, folder: Path, *, is_zip: bool) -> None:
    damage = damage_zip if is_zip else damage_pickle
    write(folder, _without_weights() | {"pytorch_model.bin": damage(random, _torch_file(is_zip=is_zip))})


def _make_shards(random: Random, folder: Path) -> None:
    files = _shards()
    name = random.choice([*files, *[_INDEX] * 6])
    damage = damage_json if name == _INDEX else damage_safetensors
    write(folder, _without_weights() | files | {name: damage(random, files[name])})


def _make_config(random: Random, folder: Path) -> None:
    files = random.choice([*seeds().values()])
    write(folder, files | {_CONFIG: random.choice((damage_json, damage_sizes))(random, files[_CONFIG])})


@cache
def _published() -> list[Files]:
    """Return small checkpoints in shapes that are published, where they are at hand; by default a sound one made here."""
    folders = [folder for folder in sorted(_CASES.glob("*")) if folder.is_dir()]
    found = [{path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} for folder in folders]
    return found or [seeds()["bert"]]


def _make_published(random: Random, folder: Path) -> None:
    """Write such a checkpoint with one of its files damaged, seldom missing."""
    files = dict(random.choice(_published()))
    name = random.choice([*files])
    data = files.pop(name)
    damage = {".json": damage_json, ".safetensors": damage_safetensors, ".bin": damage_zip}.get(Path(name).suffix, damage_bytes)
    if pick(random, {"damaged": 9, "missing": 1}) == "damaged":
        files[name] = damage(random, data)
    write(folder, files)


def _make_burn(random: Random, folder: Path, *, endings: tuple[str, ...]) -> None:
    name = random.choice([name for name in _BURN if name.endswith(endings)])
    files = {each: data for each, data in seeds()["burn"].items() if each != "model.mpk"}
    write(folder, files | {name: _BURN[name](random, _burn_record(name))})


@cache
def _listed() -> list[tuple[str, bytes, Callable[[Random, bytes], bytes]]]:
    """Return the name, contents and damage of a file of each format; published records of Burn where they are at hand."""
    files = [(name, _burn_record(name), damage) for name, damage in _BURN.items()]
    files += [
        ("pytorch_model.bin", _torch_file(is_zip=True), damage_zip),
        ("last.pth", _torch_file(is_zip=False), damage_pickle),
    ]
    files += [(_WEIGHTS, seeds()["bert"][_WEIGHTS], damage_safetensors)]
    for path in sorted(_RECORDS.glob("*.*")):
        if path.stat().st_size < _SMALL:
            damage = {".mpk": damage_messagepack, ".bpk": damage_burnpack}.get(path.suffix, damage_bytes)
            files.append((path.name, path.read_bytes(), damage))
    return files


def _make_listed(random: Random, folder: Path) -> None:
    name, data, damage = random.choice(_listed())
    (folder / name).write_bytes(pick(random, {damage: 4, damage_bytes: 1})(random, data))


def _list(folder: Path) -> None:
    (path,) = folder.iterdir()
    list_tensors(path)


READERS = {
    "weights, safetensors": Reader(_make_safetensors, use),
    "weights, torch's zip": Reader(partial(_make_torch_file, is_zip=True), use),
    "weights, torch's older pickle": Reader(partial(_make_torch_file, is_zip=False), use),
    "weights, index of shards": Reader(_make_shards, use),
    "checkpoint, config.json": Reader(_make_config, use),
    "checkpoint, published shapes": Reader(_make_published, use),
    "Burn, .mpk": Reader(partial(_make_burn, endings=(".mpk",)), use),
    "Burn, .mpk.gz": Reader(partial(_make_burn, endings=(".mpk.gz",)), use),
    "Burn, .json": Reader(partial(_make_burn, endings=(".json",)), use),
    "Burn, .bpk": Reader(partial(_make_burn, endings=(".bpk",)), use),
    "Burn, .safetensors": Reader(partial(_make_burn, endings=(".safetensors",)), use),
    "list of tensors": Reader(_make_listed, _list),
}
