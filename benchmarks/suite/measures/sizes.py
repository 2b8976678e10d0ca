"""Bytes on the disk: of an installation with all that it depends on, and of a model's files."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.utils import NormalizedName

ROOT = Path(__file__).parents[3]
OWN = "sentiment-edge"
OWN_FOLDERS = ("sentiment_edge", "export/sentiment_edge_export", "runtimes/sentiment_edge_runtimes")
"""This project's, which is installed where it is developed."""


def installed_bytes(names: Iterable[str]) -> int:
    """Return the size of distributions and all that they depend on, as this environment has them, byte code included."""
    return sum(map(_bytes, closure(names)))


def closure(names: Iterable[str]) -> set[str]:
    """Return the names of distributions and all that they depend on here."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _requirements(name)
    return found


def model_bytes(folder: Path, engine: str = "") -> int:
    """Return the size of a model's files in a folder; of a bundle, those of one engine."""
    own = folder / {"onnxruntime": "onnx"}.get(engine, engine)
    files = (path for path in own.rglob("*") if path.is_file() and not path.name.startswith(("vocab", "token")))
    return sum(path.stat().st_size for path in files)


def _requirements(name: str) -> Iterator[NormalizedName]:
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            try:
                distribution(requirement.name)
            except PackageNotFoundError:
                continue  # such as CUDA's, which torch's build for CPUs goes without
            yield canonicalize_name(requirement.name)


def _bytes(name: str) -> int:
    if name == OWN:
        files: Iterable[Path] = (path for folder in OWN_FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    else:
        files = (Path(str(file.locate())) for file in distribution(name).files or ())
    return sum(path.stat().st_size for path in files if path.is_file())
