"""The port to the browser: the page that `sentiment-edge web` writes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from sentiment_edge.web.libraries import LIBRARIES
from tools.browser import find_chromium
from tools.ports.port import Unavailable, check_programs
from tools.steps import run_step

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tools.ports.bundles import Tried

_UNSUITED = frozenset({"bert of 3 x 16", "xlnet"})
"""Bundles that read too little for the texts that are typed into the page, or more than a browser has memory for."""


def check_page(folder: Path, bundles: Sequence[Tried]) -> bool:
    """Install the page's libraries and hold the page against golden outputs, in Chromium; tell whether all was right.

    Raises:
        Unavailable: npm or Chromium is not installed.
    """
    check_programs("npm")
    if find_chromium() is None:
        raise Unavailable("Chromium is not installed")
    packages = [f"{library.name}@{library.version}" for library in LIBRARIES]
    run_step(["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", *packages])
    tried = [bundle.path for bundle in bundles if bundle.name not in _UNSUITED]
    options: list[str | Path] = ["--modules", folder / "node_modules", "--pictures", folder / "pictures"]
    return subprocess.run([sys.executable, "-m", "tools.web_page", *tried, *options], check=False).returncode == 0
