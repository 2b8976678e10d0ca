"""PyInstaller where OpenVINO is installed too: the app has both engines, and runs the bundle's model for the second."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tools.freeze.pyinstaller import build_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.freeze.frozen_app import FrozenApp
    from tools.freeze.workshop import Workshop


def build(workshop: Workshop) -> Iterator[FrozenApp]:
    """Yield a one-folder app; the library leaves the environment again afterwards."""
    workshop.install(f"{workshop.wheel}[openvino]")
    app = build_one(workshop, "one-folder", data=True, suffix=", OpenVINO")
    yield replace(app, environment={"SENTIMENT_EDGE_ENGINE": "openvino"}, movable=False)
    workshop.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "openvino")
