"""A one-folder app in places that are not what its author had: read-only, with another name, incomplete, without a terminal."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.freeze.comparison import Check, difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.freeze.frozen_app import FrozenApp
    from tools.freeze.workshop import Workshop

_NAME = "Ünïcode 文件夹 app"
_MODELS = "_internal/sentiment_edge_runtimes/models"
_DEFAULT = f"{_MODELS}/gru-mini-int8"
_ADVICE = "install this app again"
_MISSING = {
    _DEFAULT: (False, _ADVICE),
    f"{_DEFAULT}/tokenizer.json": (False, _ADVICE),
    f"{_DEFAULT}/onnx": (False, _ADVICE),
    f"{_MODELS}/saturation.onnx": (False, _ADVICE),
    "_internal/bundle": (True, _ADVICE),
}
"""What is deleted; whether the app is to use its data's bundle then; and what its message must say."""


def check_places(app: FrozenApp, workshop: Workshop) -> Iterator[Check]:
    """Run copies of a one-folder app that has a bundle as data.

    Yields:
        Each thing that was tried.
    """
    folder = workshop.folder / "places" / _NAME
    shutil.copytree(Path(app.command[0]).parent, folder, symlinks=True)
    user = "nobody" if os.geteuid() == 0 else None  # root may write everywhere
    with _read_only(folder):
        for data in (False, True):
            moved = app.moved(folder, data=data)
            problem = difference(moved.answers(user=user), moved, workshop)
            yield Check(f"read-only, non-ASCII folder, {'bundle as data' if data else 'default bundle'}", "answers", problem)
    found = moved.answers(windowed=True)
    problem = difference(found, moved, workshop) or ("" if found["windowed"] else "it had a stdout")
    yield Check("without stdin, stdout, stderr", "answers", problem)
    for name, (data, advice) in _MISSING.items():
        yield _without(app, workshop, name, advice, data=data)


def _without(app: FrozenApp, workshop: Workshop, name: str, advice: str, *, data: bool) -> Check:
    """Delete a file or folder of the app, run it, and expect one line with this advice."""
    folder = workshop.folder / "places" / "incomplete"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(Path(app.command[0]).parent, folder, symlinks=True)
    lost = folder / name
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    error = app.moved(folder, data=data).answers().get("error", "")
    fine = advice in error and "\n" not in error
    return Check(f"without {name}", error.replace(str(folder), "..."), "" if fine else f"says {error!r}")


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Make a folder and all in it read-only while the block runs."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*")) if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & 0o555)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
