"""A plugin of pytest's that fails a run whose package came from a repository instead of the installed wheel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_PACKAGES = {"sentiment_edge", "sentiment_edge_export", "sentiment_edge_runtimes"}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look where every module of the package was read from."""
    files = [module.__file__ for name, module in [*sys.modules.items()] if name.partition(".")[0] in _PACKAGES]
    foreign = sorted(file for file in files if file and not Path(file).is_relative_to(sys.prefix))
    if foreign or not files:
        sys.stderr.write(f"not the installed package: {', '.join(foreign) or 'it was never imported'}\n")
        session.exitstatus = 1
