"""The record of a model in a checkpoint's folder, read to tensors in torch's layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from sentiment_edge_export.checkpoints.burn_records import BurnRecord, read_record
from sentiment_edge_export.checkpoints.weights import check_problems, strip_prefix
from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_NAMES = ("model.mpk", "model.mpk.gz", "model.bpk", "model.json", "model.json.gz", "model")
"""Names that Burn's own example gives to records, in the order of preference."""
_OTHERS = ("*.mpk", "*.mpk.gz", "*.bpk")
_OF_TRAINING = ("optim", "scheduler")
"""The first part of the names of other records that Burn's learner writes beside the model's."""
_SAFETENSORS = "model.safetensors"
_LANDMARKS = (
    "embedding_token.weight",
    "embedding_pos.weight",
    "transformer.layers.0.pwff.linear_inner.weight",
    "output.weight",
)
_LINEAR = re.compile(r"(.*\.)?(query|key|value|output|linear_inner|linear_outer)\.weight")
_TENSOR = re.compile(
    r"(embedding_(token|pos)\.weight|output\.(weight|bias)|transformer\.layers\.\d+\."
    r"(mha\.(query|key|value|output)|pwff\.linear_(inner|outer)|norm_[12])\.(weight|bias))"
)


def find_record(folder: Path) -> Path | None:
    """Return the record of a model in a folder; None if there is none.

    Raises:
        CheckpointError: there are several to choose from.
    """
    for name in _NAMES:
        if (folder / name).is_file():
            return folder / name
    found = sorted(path for pattern in _OTHERS for path in folder.glob(pattern) if not path.name.startswith(_OF_TRAINING))
    if len(found) > 1:
        raise CheckpointError(
            f"{folder}: several records ({', '.join(path.name for path in found)}); leave only the one to export"
        )
    if found:
        return found[0]
    path = folder / _SAFETENSORS
    return path if path.is_file() and _is_of_burn(path) else None


def _is_of_burn(path: Path) -> bool:
    """Return whether a safetensors file has this family's names; one that cannot be read is reported elsewhere."""
    try:
        with safe_open(path, "np") as file:
            return any(name.endswith("layers.0.mha.query.weight") for name in file.keys())  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError):
        return False


def read_weights(path: Path) -> tuple[dict[str, Tensor], BurnRecord]:
    """Return the tensors of a record, in fp32 and in torch's layout and names, and the record itself.

    Raises:
        CheckpointError: the file is damaged, of another architecture, or holds a value that is not a finite number.
    """
    record = read_record(path)
    of_torch = not any(name.endswith(".gamma") for name in record.tensors)
    tensors = {}
    for name, array in record.tensors.items():
        if not np.issubdtype(array.dtype, np.floating):
            raise CheckpointError(f"{path}: {name} is not floating point")
        transposed = array.T if _LINEAR.fullmatch(name) and not of_torch else array
        with np.errstate(over="ignore"):  # float64 may hold what float32 cannot
            plain = np.array(transposed, dtype=np.float32, order="C")
        if not np.isfinite(plain).all():
            overflow = "; half precision overflowed, save it in full precision" if array.dtype == np.float16 else ""
            raise CheckpointError(f"{path}: {name} holds NaN or infinite values{overflow}")
        tensors[_torch_name(name)] = torch.from_numpy(plain)
    tensors = strip_prefix(tensors, ("model", "module"), _LANDMARKS[0])
    missing = [name for name in _LANDMARKS if name not in tensors]
    check_problems(path, {"missing": missing, "unexpected": [name for name in tensors if not _TENSOR.fullmatch(name)]})
    return tensors, record


def _torch_name(name: str) -> str:
    return re.sub(r"\.beta$", ".bias", re.sub(r"\.gamma$", ".weight", name))
