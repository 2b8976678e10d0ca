"""Reading the tensors of a file of torch by name."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, BinaryIO

import torch

from sentiment_edge_export.checkpoints.files import check_is_here
from sentiment_edge_export.checkpoints.torch_files.containers import TorchFile, open_torch_file
from sentiment_edge_export.checkpoints.torch_files.contents import (
    MalformedTorchFile,
    MoreThanTensors,
    Opaque,
    StoredTensor,
)
from sentiment_edge_export.errors import CheckpointError, shown
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_CONTAINERS = ("state_dict", "model_state_dict")
_MOST_OVERLAP = 4
"""The largest accepted ratio of all tensors to the file. Above 1 are tensors that share numbers, such as tied embeddings."""


def list_torch_file(path: Path) -> dict[str, StoredTensor]:
    """Return the descriptions of a file's tensors by name, in the file's order, without reading their numbers.

    Raises:
        CheckpointError: the file cannot be read, is damaged, or holds more or less than named tensors.
    """
    check_is_here(path)
    with _opened(path) as file:
        return _find_tensors(path, _described(path, file))


def read_torch_file(path: Path) -> dict[str, Tensor]:
    """Return a file's tensors by name, as torch reads them, once the file was found to describe no more than it holds.

    Raises:
        CheckpointError: the file cannot be read, is damaged, or holds more or less than named tensors.
    """
    described = list_torch_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is checked by who uses the tensors
            mapping = _inner_mapping(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged file makes it fail in any way
        raise _damaged(path, error) from error
    tensors = {str(name): value for name, value in mapping.items()}
    return {name: tensors[name] for name in described}


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or first_line(error)})") from error


def _described(path: Path, file: BinaryIO) -> TorchFile:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python deprecates some escapes in strings of old pickles
            return open_torch_file(file)
    except MoreThanTensors as error:
        problem = f"holds more than tensors ({str(error)!r:.80}), which could run code on loading"
        raise CheckpointError(f"{path}: {problem}; save only its state_dict, as safetensors") from error
    except (MalformedTorchFile, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{path}: damaged or not a torch file ({first_line(error)}); download it again")


def _find_tensors(path: Path, contents: TorchFile) -> dict[str, StoredTensor]:
    """Return the tensors by name, of the mapping in the file or of the one in a training's record."""
    mapping = _inner_mapping(contents.description)
    if not isinstance(mapping, dict):
        raise CheckpointError(f"{path}: holds a {type(mapping).__name__} instead of named tensors")
    found = {
        str(name): _checked(path, contents, name, value)
        for name, value in mapping.items()
        if isinstance(value, StoredTensor) or (isinstance(value, Opaque) and value.is_tensor)
    }
    if not found:
        raise CheckpointError(f"{path}: holds no tensors")
    if sum(stored.nbytes for stored in {*found.values()}) > _MOST_OVERLAP * path.stat().st_size:
        raise CheckpointError(f"{path}: its tensors share their numbers, and are far larger than the file; save clones of them")
    return found


def _checked(path: Path, contents: TorchFile, name: str | int, tensor: StoredTensor | Opaque) -> StoredTensor:
    if isinstance(tensor, Opaque):
        raise CheckpointError(f"{path}: {shown(name)} is not a plain tensor; save dense, unquantized tensors")
    if not contents.holds(tensor.storage):
        raise _damaged(path, MalformedTorchFile("a storage is smaller than described"))
    if not tensor.fits():
        raise CheckpointError(f"{path}: {shown(name)} holds fewer numbers than its shape; save contiguous tensors")
    return tensor


def _inner_mapping(contents: Any) -> Any:  # noqa: ANN401 - whatever a file holds
    """Return the mapping of tensors in a training's record; anything else as it is."""
    for container in _CONTAINERS:
        if isinstance(contents, dict) and isinstance(contents.get(container), dict):
            contents = contents[container]
    return contents
