"""Tensors from the files that people publish."""

from __future__ import annotations

import pickle
import warnings
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_SAFETENSORS = "model.safetensors"
_PICKLES = ("*.pth", "*.pt", "*.bin")
_CONTAINERS = ("state_dict", "model_state_dict")


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return the folder's tensors by name, floating ones as fp32.

    Raises:
        CheckpointError: there is no weight file or more than one to choose from, it is damaged, it needs more than
            `weights_only`, or a weight is not a finite number.
    """
    path = _find(folder)
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    return {name: _as_fp32(path, name, tensor) for name, tensor in tensors.items()}


def _as_fp32(path: Path, name: str, tensor: Tensor) -> Tensor:
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        raise CheckpointError(f"{path}: {name} is not a plain tensor; save the weights dense and unquantized")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise CheckpointError(f"{path}: {name} holds fewer numbers than its shape; save it contiguous")
    if not tensor.is_floating_point():
        return tensor
    try:
        tensor = tensor.float()
    except (RuntimeError, NotImplementedError) as error:
        raise CheckpointError(f"{path}: {name} is of type {tensor.dtype}, which torch cannot convert") from error
    if not tensor.isfinite().all():
        raise CheckpointError(f"{path}: {name} holds NaN or infinite values; the training went wrong or the file did")
    return tensor


def strip_prefix(tensors: dict[str, Tensor], parts: tuple[str, ...], landmark: str) -> dict[str, Tensor]:
    """Return the tensors without the prefix under which `landmark` lies, where it is made of `parts` only (`module.model.`)."""
    for name in tensors:
        prefix = name.removesuffix(landmark)
        if prefix != name and prefix.endswith(".") and {*prefix[:-1].split(".")} <= {*parts}:
            return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def check_shapes(folder: Path, tensors: dict[str, Tensor], expected: dict[str, tuple[int, ...]]) -> None:
    """Compare names and shapes with what the architecture needs.

    Raises:
        CheckpointError: tensors are missing, unexpected or shaped otherwise (named, a few of them).
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
    named = [f"{kind}: {_some(names)}" for kind, names in problems.items() if names]
    if named:
        raise CheckpointError(f"{folder}: the weights do not fit the architecture; {'; '.join(named)}")


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"  # noqa: PLR2004


def _find(folder: Path) -> Path:
    if (folder / _SAFETENSORS).is_file():
        return folder / _SAFETENSORS
    found = sorted(path for pattern in _PICKLES for path in folder.glob(pattern) if path.name != "training_args.bin")
    if not found:
        raise CheckpointError(f"{folder}: no weights here ({_SAFETENSORS}, or one of {', '.join(_PICKLES)})")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise CheckpointError(f"{folder}: several weight files ({names}); leave the one to export")
    return found[0]


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not safetensors ({error}); download it again") from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of ends in an error here
            contents = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the unpickler fail in any way
        if isinstance(error, pickle.UnpicklingError) and "Unsupported" in str(error):
            raise CheckpointError(
                f"{path}: holds more than tensors, which could run code on loading; save its state_dict alone, as safetensors"
            ) from error
        reason = next(iter(str(error).splitlines()), type(error).__name__)
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
