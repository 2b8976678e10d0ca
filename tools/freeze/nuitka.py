"""Nuitka, which compiles the app and what it imports: that takes a C compiler, patchelf, and a quarter of an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.freeze.frozen_app import FrozenApp
from tools.freeze.workshop import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.freeze.workshop import Workshop

_VERSION = "4.3.3"


def build(workshop: Workshop) -> Iterator[FrozenApp]:
    """Yield an app with the default model only."""
    workshop.install(f"nuitka=={_VERSION}", "patchelf")
    folder = workshop.place("nuitka")
    data = ["--include-package-data=sentiment_edge_runtimes"]
    workshop.run("python", "-m", "nuitka", "--standalone", "--assume-yes-for-downloads", *data, "app.py", folder=folder)
    made = folder / "app.dist"
    yield FrozenApp(f"Nuitka {_VERSION}", [made / "app.bin"], size(made))
