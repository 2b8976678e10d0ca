"""The tensors of a checkpoint: reading its weight files, comparing them with a model, building the model around them."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from sentiment_edge_export.checkpoints.files import PICKLED_WEIGHTS, SAFE_WEIGHTS, check_is_here, is_file, may_be_weights
from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.checkpoints.torch_files import read_torch_file
from sentiment_edge_export.errors import CheckpointError, shown
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

_WHOLE = ("model.safetensors", "pytorch_model.bin")
_SHARDED = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_SHARD = re.compile(r"-\d+-of-\d+\.")
_OF_TRAINING = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Parts of names that torch.compile and FSDP add, at any place."""
_PARALLEL = "module."
"""The start of all names in a model that was saved from DataParallel or DistributedDataParallel."""
_LONGEST_HEADER = 8 * 2**20
"""The largest accepted header of a safetensors file, in bytes; a tensor takes about 100."""
_FEW = 4
"""Tensors that a message names."""
_Module = TypeVar("_Module", bound=nn.Module)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return the folder's tensors by name, floating-point ones as fp32.

    Names are as the model has them, without what wrappers for training add.

    Raises:
        CheckpointError: there is no weight file or more than one to choose from, it is damaged, holds more than tensors, or a
            weight is not a finite number.
    """
    tensors: dict[str, Tensor] = {}
    for path, promised in _find(folder).items():
        read = _read_safetensors(path) if path.suffix == ".safetensors" else read_torch_file(path)
        if missing := [name for name in promised if name not in read]:
            raise CheckpointError(f"{path}: lacks {_few(missing)}, which the index puts there; download both again")
        if twice := [name for name in read if name in tensors]:
            raise CheckpointError(f"{path}: {_few(twice)} are in another shard too; download the shards again")
        tensors.update(_all_as_fp32(path, read))
    return _unwrapped(tensors)


def _unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors by their names without what wrappers for training add; as they are, where two would be one."""
    names = {name: ".".join(part for part in name.split(".") if part not in _OF_TRAINING) for name in tensors}
    while names and all(name.startswith(_PARALLEL) for name in names.values()):
        names = {stored: name.removeprefix(_PARALLEL) for stored, name in names.items()}
    distinct = len({*names.values()}) == len(names)
    return {names[stored]: tensor for stored, tensor in tensors.items()} if distinct else tensors


def _all_as_fp32(path: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors as fp32. One of several names is converted once, or a small file could fill any memory."""
    converted: dict[int, Tensor] = {}
    for name, tensor in tensors.items():
        if id(tensor) not in converted:
            converted[id(tensor)] = _as_fp32(path, name, tensor)
    return {name: converted[id(tensor)] for name, tensor in tensors.items()}


def _as_fp32(path: Path, name: str, tensor: Tensor) -> Tensor:
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        raise CheckpointError(f"{path}: {shown(name)} is not a plain tensor; save dense, unquantized tensors")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise CheckpointError(f"{path}: {shown(name)} holds fewer numbers than its shape; save contiguous tensors")
    if not tensor.is_floating_point():
        return tensor
    try:
        tensor = tensor.float()
    except (RuntimeError, NotImplementedError) as error:
        raise CheckpointError(f"{path}: {shown(name)} is of type {tensor.dtype}, which torch cannot convert") from error
    if not tensor.isfinite().all():
        raise CheckpointError(f"{path}: {shown(name)} holds NaN or infinite values; its training diverged or it is damaged")
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
    first = ", ".join(map(shown, names[:_FEW]))
    return first if len(names) <= _FEW else f"{first} and {len(names) - _FEW} more"


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


def build_empty(folder: Path, make: Callable[[], _Module]) -> _Module:
    """Build a model without memory for its tensors.

    Raises:
        CheckpointError: it cannot have the sizes that the checkpoint states.
    """
    try:
        with torch.device("meta"):
            return make()
    except CheckpointError:
        raise
    except (RuntimeError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{folder}: the sizes in its config make no model ({first_line(error)})") from error


def build_model(folder: Path, make: Callable[[], _Module], tensors: dict[str, Tensor]) -> _Module:
    """Build a model around a checkpoint's tensors, for inference only.

    Raises:
        CheckpointError: the tensors are not those that the model needs.
    """
    model = build_empty(folder, make)
    check_shapes(folder, tensors, {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})
    model.load_state_dict(tensors, assign=True)
    return model.eval().requires_grad_(requires_grad=False)


def _find(folder: Path) -> dict[Path, list[str]]:
    """Return the files that hold the weights, a single one or shards, and the tensors that an index promises in each."""
    for whole, index in zip(_WHOLE, _SHARDED, strict=True):
        if is_file(folder / whole):
            return {folder / whole: []}
        if is_file(folder / index):
            return _find_shards(folder / index)
    for patterns in (SAFE_WEIGHTS, PICKLED_WEIGHTS):
        found = [path for path in sorted(folder.glob("*")) if may_be_weights(path.name, patterns) and is_file(path)]
        if len(found) > 1:
            names = ", ".join(shown(path.name) for path in found[:_FEW])
            if all(_SHARD.search(path.name) for path in found):
                raise CheckpointError(f"{folder}: shards without their index ({_SHARDED[0]} or {_SHARDED[1]}); download it too")
            raise CheckpointError(f"{folder}: several weight files ({names}); leave only the one to export")
        if found:
            return {found[0]: []}
    raise CheckpointError(f"{folder}: no weights here ({_WHOLE[0]}, or one of {', '.join(PICKLED_WEIGHTS)})")


def _find_shards(index: Path) -> dict[Path, list[str]]:
    """Return the files that an index names; see https://huggingface.co/docs/transformers/big_models#sharded-checkpoints."""
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places or not all(isinstance(shard, str) for shard in places.values()):
        raise CheckpointError(f"{index}: not an index of shards; download it again")
    shards = sorted({*places.values()})
    if outside := [shard for shard in shards if shard != PurePath(shard).name]:
        raise CheckpointError(f"{index}: names a file outside its folder ({shown(outside[0])}); download it again")
    if missing := [shard for shard in shards if not is_file(index.parent / shard)]:
        raise CheckpointError(f"{index.parent}: missing shards: {_few(missing)}; download them again")
    promised: dict[Path, list[str]] = {index.parent / shard: [] for shard in shards}
    for name, shard in places.items():
        promised[index.parent / shard].append(name)
    return promised


def check_header(path: Path) -> None:
    """Check that a safetensors file has a header of a size that such files have.

    Raises:
        CheckpointError: it states another, for which the library would take any time and memory.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
    if size > _LONGEST_HEADER:
        raise CheckpointError(f"{path}: damaged or not safetensors (it claims a header of {size} bytes); download it again")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    check_is_here(path)
    try:
        check_header(path)
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not safetensors ({first_line(error)}); download it again") from error
