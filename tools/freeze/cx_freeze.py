"""cx_Freeze, without options but the one for a bundle as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.freeze.frozen_app import FrozenApp
from tools.freeze.workshop import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.freeze.workshop import Workshop

_VERSION = "8.7.0"


def build(workshop: Workshop) -> Iterator[FrozenApp]:
    """Yield an app with the default model only, and one with a bundle as data."""
    workshop.install(f"cx_Freeze=={_VERSION}")
    for data in (False, True):
        folder = workshop.place(f"cx-freeze{'-data' * data}")
        options = ["--include-files=bundle"] if data else []
        workshop.run("cxfreeze", "build_exe", "--script=app.py", "--build-exe=made", *options, folder=folder)
        made = folder / "made"
        yield FrozenApp(f"cx_Freeze {_VERSION}{', bundle as data' * data}", [made / "app"], size(made), data=data)
