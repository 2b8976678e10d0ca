"""Files of a checkpoint: their names, and paths that the system may refuse to look at."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SAFE_WEIGHTS = ("*.safetensors",)
PICKLED_WEIGHTS = ("*.bin", "*.pth", "*.pt")
RECORDS = ("*.mpk", "*.mpk.gz", "*.bpk", "model.json", "*.json.gz", "model")
"""Names that Burn gives to records."""
_NO_WEIGHTS = (
    "training_args.bin",
    "optimizer*",
    "scheduler*",
    "scaler*",
    "rng_state*",
    "adapter*",
    "pytorch_adapter*",
    "pytorch_model_head.bin",
    "openvino_*.bin",
    "group*-shard*.bin",
    "tokenizer*.bin",
    ".*",
)
"""Other files with such names, of transformers' Trainer and of other formats."""
_POINTER = b"version https://git-lfs.github.com/spec/"


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a file's name fits one of the patterns; `*` stands for any characters, a slash too."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def may_be_weights(name: str, patterns: Iterable[str] = (*SAFE_WEIGHTS, *PICKLED_WEIGHTS, *RECORDS)) -> bool:
    """Return whether a file of this name, which has no folder, may hold a model's weights."""
    return matches(name, patterns) and not matches(name, _NO_WEIGHTS)


def check_is_here(path: Path) -> None:
    """Check that a file is not the pointer that a clone without git-lfs has in its place.

    Raises:
        CheckpointError: it is.
    """
    if not is_file(path):  # opening a pipe would wait for ever
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
    except OSError:
        return  # its reader says why
    if start == _POINTER:
        problem = "not the file itself but a pointer to it, as git leaves without git-lfs"
        raise CheckpointError(f"{path}: {problem}; run git lfs pull there, or download the file")


def is_file(path: Path) -> bool:
    """Return whether there is a regular file; not for a name that the system refuses, such as one that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def check_path(path: Path) -> None:
    """Check that the system can tell whether something is at the path.

    Raises:
        CheckpointError: it cannot, as where the name is too long or a folder is closed to the user.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL, or one that is not text
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(f"{str(path)!r:.100}: cannot be looked up ({reason})") from error
