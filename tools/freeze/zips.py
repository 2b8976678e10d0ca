"""Programs in a zip file that a Python runs: zipapp, with the libraries installed beside it; shiv and pex, with all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.freeze.frozen_app import FrozenApp
from tools.freeze.workshop import CONSTRAINTS, pip_options, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.freeze.workshop import Workshop


def build(workshop: Workshop) -> Iterator[FrozenApp]:
    """Yield an app of each kind, with the default model."""
    python = workshop.environment / "bin" / "python"
    for name, make in (("zipapp", _zipapp), ("shiv", _shiv), ("pex", _pex)):
        folder = workshop.place(name)
        target = folder / f"app.{name}"
        make(workshop, folder, target)
        yield FrozenApp(name, [python, target], size(target), environment=_roots(folder))


def _roots(folder: Path) -> dict[str, str]:
    """Return the variables that say where shiv and pex unpack what they start."""
    return {"SHIV_ROOT": str(folder / "root"), "PEX_ROOT": str(folder / "root")}


def _zipapp(workshop: Workshop, folder: Path, target: Path) -> None:
    contents = _program(folder)
    workshop.run("python", "-m", "pip", "install", "--quiet", "--no-deps", "--target", contents, workshop.wheel)
    workshop.run("python", "-m", "zipapp", contents, "--main", "app:main", "--compress", "--output", target)


def _shiv(workshop: Workshop, folder: Path, target: Path) -> None:
    own: list[str | Path] = ["--site-packages", _program(folder), "--entry-point", "app:main", "--output-file", target]
    workshop.run("shiv", *own, *pip_options(), workshop.wheel)


def _pex(workshop: Workshop, folder: Path, target: Path) -> None:
    own: list[str | Path] = ["--sources-directory", _program(folder), "--entry-point", "app:main", "--output-file", target]
    workshop.run("pex", *own, "--constraints", CONSTRAINTS, workshop.wheel)


def _program(folder: Path) -> Path:
    """Return a folder that holds the app alone."""
    (folder / "program").mkdir()
    return (folder / "app.py").rename(folder / "program" / "app.py").parent
