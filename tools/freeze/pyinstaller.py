"""PyInstaller, without options but those that say what is wanted: one folder or one file, and a bundle as data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tools.freeze.debug_symbols import symbols_in
from tools.freeze.frozen_app import FrozenApp
from tools.freeze.workshop import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.freeze.workshop import Workshop

_MIB = 2**20
_LIMITS = {"one-folder": 110 * _MIB, "one-file": 45 * _MIB}
_DATA = ("--add-data", "bundle:bundle")


def build(workshop: Workshop) -> Iterator[FrozenApp]:
    """Yield an app of each kind, with the default model only and with a bundle as data."""
    symbols: dict[str, int] = {}
    for kind, limit in _LIMITS.items():
        app = build_one(workshop, kind, data=False)
        if not symbols:  # the first is one folder, where they can be looked at
            folder = Path(app.command[0]).parent
            symbols = {each: symbols_in(folder, compressed=each == "one-file") for each in _LIMITS}
        yield replace(app, limit=limit, symbols=symbols[kind])
        yield build_one(workshop, kind, data=True)


def build_one(workshop: Workshop, kind: str, *, data: bool, suffix: str = "") -> FrozenApp:
    """Return one app."""
    name = f"PyInstaller {kind}{', bundle as data' if data else ''}{suffix}"
    folder = workshop.place(name.replace(" ", "-").replace(",", ""))
    options = [*(["--onefile"] if kind == "one-file" else []), *(_DATA if data else [])]
    workshop.run("pyinstaller", *options, "app.py", folder=folder)
    made = folder / "dist" / "app"
    command = [made / "app" if made.is_dir() else made]
    return FrozenApp(name, command, size(made), data=data, movable=data and kind == "one-folder")
