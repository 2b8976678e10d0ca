"""The tensors of a checkpoint: reading its weight files, comparing them with a model, building the model around them."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

_WHOLE = ("model.safetensors", "pytorch_model.bin")
_SHARDED = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_PICKLES = ("*.pth", "*.pt", "*.bin")
_OF_TRAINING = (
    "training_args.bin",
    "optimizer.pt",
    "scheduler.pt",
    "scaler.pt",
    "rng_state.pth",
    "optimizer.bin",
    "scheduler.bin",
)
"""Files that transformers' Trainer writes beside the weights."""
_CONTAINERS = ("state_dict", "model_state_dict")
_FEW = 4
"""Tensors that a message names."""
_Module = TypeVar("_Module", bound=nn.Module)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return the folder's tensors by name, floating-point ones as fp32.

    Raises:
        CheckpointError: there is no weight file or more than one to choose from, it is damaged, torch cannot load it with
            `weights_only`, or a weight is not a finite number.
    """
    tensors: dict[str, Tensor] = {}
    for path in _find(folder):
        read = _read_safetensors(path) if path.suffix == ".safetensors" else read_pickle(path)
        tensors.update({name: _as_fp32(path, name, tensor) for name, tensor in read.items()})
    return tensors


def _as_fp32(path: Path, name: str, tensor: Tensor) -> Tensor:
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        raise CheckpointError(f"{path}: {name} is not a plain tensor; save the weights as dense, unquantized tensors")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise CheckpointError(f"{path}: {name} holds fewer numbers than its shape; save contiguous tensors")
    if not tensor.is_floating_point():
        return tensor
    try:
        tensor = tensor.float()
    except (RuntimeError, NotImplementedError) as error:
        raise CheckpointError(f"{path}: {name} is of type {tensor.dtype}, which torch cannot convert") from error
    if not tensor.isfinite().all():
        raise CheckpointError(f"{path}: {name} holds NaN or infinite values; the training diverged or the file is damaged")
    return tensor


def strip_prefix(tensors: dict[str, Tensor], parts: tuple[str, ...], landmark: str) -> dict[str, Tensor]:
    """Return the tensors without the prefix of `landmark`, if that consists of `parts` only, such as `module.model.`."""
    for name in tensors:
        prefix = name.removesuffix(landmark)
        if prefix != name and prefix.endswith(".") and {*prefix[:-1].split(".")} <= {*parts}:
            return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def check_shapes(folder: Path, tensors: dict[str, Tensor], expected: dict[str, tuple[int, ...]]) -> None:
    """Compare names and shapes with those that the architecture needs.

    Raises:
        CheckpointError: tensors are missing, unexpected, wrongly shaped or not floating point.
    """
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    problems = {
        "missing": [name for name in expected if name not in found],
        "unexpected": [name for name in found if name not in expected],
        "wrongly shaped": [
            f"{name} {list(found[name])} instead of {list(shape)}"
            for name, shape in expected.items()
            if name in found and found[name] != shape
        ],
    }
    problems["not floating point"] = [name for name, tensor in tensors.items() if not tensor.is_floating_point()]
    check_problems(folder, problems)


def check_problems(folder: Path, problems: Mapping[str, Sequence[str]]) -> None:
    """Check that no tensor has a problem; `problems` are names of tensors by kind.

    Raises:
        CheckpointError: there are some; the message names a few of each kind.
    """
    named = [f"{kind}: {_few(names)}" for kind, names in problems.items() if names]
    if named:
        raise CheckpointError(f"{folder}: the weights do not fit the architecture; {'; '.join(named)}")


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_FEW])
    return shown if len(names) <= _FEW else f"{shown} and {len(names) - _FEW} more"


def check_sizes(folder: Path, stated: Mapping[str, object], sizes: Mapping[str, int]) -> None:
    """Compare the sizes that config.json states with those of the tensors.

    Raises:
        CheckpointError: one differs.
    """
    for name, size in sizes.items():
        if stated.get(name, size) != size:
            raise CheckpointError(
                f"{folder}: config.json says {name} {stated[name]!r:.60}, the weights {size}; they are not of one model"
            )


def build_model(folder: Path, make: Callable[[], _Module], tensors: dict[str, Tensor]) -> _Module:
    """Build a model around a checkpoint's tensors, for inference only.

    Raises:
        CheckpointError: the tensors are not those that the model needs.
    """
    with torch.device("meta"):  # allocates no tensors
        model = make()
    check_shapes(folder, tensors, {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})
    model.load_state_dict(tensors, assign=True)
    return model.eval().requires_grad_(requires_grad=False)


def _find(folder: Path) -> list[Path]:
    """Return the files that hold the weights: a single one, or the shards that an index lists."""
    for whole, index in zip(_WHOLE, _SHARDED, strict=True):
        if (folder / whole).is_file():
            return [folder / whole]
        if (folder / index).is_file():
            return _shards(folder / index)
    found = sorted(path for pattern in _PICKLES for path in folder.glob(pattern) if path.name not in _OF_TRAINING)
    if not found:
        raise CheckpointError(f"{folder}: no weights here ({_WHOLE[0]}, or one of {', '.join(_PICKLES)})")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise CheckpointError(f"{folder}: several weight files ({names}); leave only the one to export")
    return found


def _shards(index: Path) -> list[Path]:
    """Return the files that an index names; see https://huggingface.co/docs/transformers/big_models#sharded-checkpoints."""
    try:
        names = sorted({str(name) for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{index}: not an index of shards; download it again") from error
    if outside := [name for name in names if name != PurePath(name).name]:
        raise CheckpointError(f"{index}: names a file outside its folder ({outside[0]}); download it again")
    if missing := [name for name in names if not (index.parent / name).is_file()]:
        raise CheckpointError(f"{index.parent}: missing shards: {_few(missing)}; download them again")
    return [index.parent / name for name in names]


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not safetensors ({error}); download it again") from error


def read_pickle(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a torch file, loaded with `weights_only`.

    Raises:
        CheckpointError: the file is damaged, or holds more than tensors.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever it warns of ends in an error here
            contents = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the unpickler fail in any way
        if isinstance(error, pickle.UnpicklingError) and "Unsupported" in str(error):
            raise CheckpointError(
                f"{path}: holds more than tensors, which could run code on loading; save only its state_dict, as safetensors"
            ) from error
        reason = first_line(error)
        raise CheckpointError(f"{path}: damaged or not a torch file ({reason}); download it again") from error
    for container in _CONTAINERS:
        if isinstance(contents, dict) and isinstance(contents.get(container), dict):
            contents = contents[container]
    if not isinstance(contents, dict):
        raise CheckpointError(f"{path}: holds a {type(contents).__name__} instead of named tensors")
    tensors = {str(name): value for name, value in contents.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise CheckpointError(f"{path}: holds no tensors")
    return tensors
