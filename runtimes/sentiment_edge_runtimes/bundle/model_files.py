"""The files that an engine reads for one model: the model itself, and its weights beside it. All must be listed."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.bundle.contents import open_file
from sentiment_edge_runtimes.bundle.onnx_file import external_locations
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def check_model(root: Path, model: str, listed: Collection[str]) -> None:
    """Refuse a model that an engine would read together with a file that is not listed.

    Raises:
        ValueError: it refers to such a file, or its format is not known.
        OSError: it cannot be read.
    """
    folder = posixpath.dirname(model)
    for name in sorted(_read_beside(root / model)):
        if ".." in PurePosixPath(name).parts or posixpath.normpath(posixpath.join(folder, name)) not in listed:
            raise ValueError(f"{model} refers to {name!r:.80}, which is not in the manifest's files")


def names_read(model: str, listed: Collection[str]) -> list[str]:
    """Return the listed files that an engine may read for a model: all in its folder, which it cannot leave."""
    folder = posixpath.join(posixpath.dirname(model), "")
    return [name for name in listed if name.startswith(folder)]


def _read_beside(path: Path) -> set[str]:
    """Return the names of files that a model refers to, relative to its folder."""
    if path.suffix == ".xml":  # a graph whose weights have the same name
        return {path.with_suffix(".bin").name}
    if path.suffix != ".onnx":
        raise ValueError(f"{path.name!r:.80} is neither .onnx nor .xml")
    with open_file(path) as file:
        try:
            return external_locations(file)
        except ValueError as error:
            raise ValueError(f"{path.name!r:.80} is not an ONNX file ({first_line(error)})") from error
