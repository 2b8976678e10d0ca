"""An Arm system in a folder: Debian's Python, and this project's wheel with its dependencies as pip installs them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.emulation.debian import SUITE, unpack_debian
from tools.steps import REPOSITORY, build_wheel, run_step

if TYPE_CHECKING:
    from pathlib import Path

_PYTHON = "3.11"
_PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")


@dataclass(frozen=True, slots=True)
class ArmSystem:
    """Where it is; made once, then kept."""

    folder: Path

    @property
    def root(self) -> Path:
        """The Debian system's root."""
        return self.folder / f"debian-{SUITE}-arm64"

    @property
    def packages(self) -> Path:
        """Where wheels are installed."""
        return self.folder / "site-packages"

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.root / f"usr/bin/python{_PYTHON}"

    def set_up(self) -> None:
        """Make what is missing, and install this working tree's wheel anew."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.root.exists():
            unpack_debian(self.root)
        wheel = build_wheel(self.folder / "wheel")
        if not self.packages.exists():
            _install(self.packages, wheel, "--constraint", REPOSITORY / "constraints.txt")
        _install(self.packages, wheel, "--no-deps", "--upgrade")


def _install(target: Path, wheel: Path, *options: str | Path) -> None:
    """Have pip choose and unpack the wheels that it would on an Arm machine."""
    platforms = [f"--platform={name}" for name in _PLATFORMS]
    python = ["--only-binary=:all:", "--implementation=cp", f"--python-version={_PYTHON}", *platforms]
    run_step([sys.executable, "-m", "pip", "install", "--quiet", *python, *options, "--target", target, wheel])
