"""The folder of PyInstaller's hooks, which it asks for by the distribution's entry point `pyinstaller40`."""

from __future__ import annotations

from pathlib import Path


def hook_directories() -> list[str]:
    """Return the folders that hold a hook for each module that needs one."""
    return [str(Path(__file__).parent / "hooks")]
