"""An Arm system in a folder: Debian's Python, and this project's wheel with its dependencies as pip installs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from helpers.support import CORTEX_A72

REPOSITORY = Path(__file__).parents[2]
_SUITE, _PYTHON = "bookworm", "3.11"
_MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
_PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")


@dataclass(frozen=True, slots=True)
class ArmSystem:
    """Where it is; made once, then kept."""

    folder: Path

    @property
    def root(self) -> Path:
        """The Debian system's root."""
        return self.folder / f"debian-{_SUITE}-arm64"

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
            _unpack_debian(self.root)
        wheel = _build_wheel(self.folder / "wheel")
        if not self.packages.exists():
            _install(self.packages, wheel, "--constraint", REPOSITORY / "constraints.txt")
        _install(self.packages, wheel, "--no-deps", "--upgrade")


def _unpack_debian(root: Path) -> None:
    """Download the packages of a minimal system with Python and unpack them; none of their scripts is run."""
    unfinished = root.with_name(f"{root.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    as_root = [] if os.geteuid() == 0 else ["fakeroot"]  # debootstrap insists, though nothing here needs it
    options = ["--arch=arm64", "--foreign", "--variant=minbase", "--include=python3"]
    _run([*as_root, "debootstrap", *options, _SUITE, unfinished, _MIRROR])
    for package in sorted((unfinished / "var/cache/apt/archives").glob("*.deb")):
        _run(["dpkg-deb", "--extract", package, unfinished])
        package.unlink()
    (unfinished / "proc").mkdir(exist_ok=True)
    # ONNX Runtime would read the host's, which it cannot; what the core can do it asks the emulator.
    (unfinished / "proc/cpuinfo").write_text(CORTEX_A72, encoding="ascii")
    unfinished.rename(root)


def _build_wheel(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, REPOSITORY])
    (wheel,) = folder.glob("*.whl")
    return wheel


def _install(target: Path, wheel: Path, *options: str | Path) -> None:
    """Have pip choose and unpack the wheels that it would on an Arm machine."""
    platforms = [f"--platform={name}" for name in _PLATFORMS]
    python = ["--only-binary=:all:", "--implementation=cp", f"--python-version={_PYTHON}", *platforms]
    _run([sys.executable, "-m", "pip", "install", "--quiet", *python, *options, "--target", target, wheel])


def _run(command: list[str | Path]) -> None:
    """Run a step of setting up, its output shown only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise RuntimeError(f"{command[0]} failed with status {done.returncode}")
