"""Where tests are run: by a Python of this machine, in a Debian system with a newer one, in a Debian of 64-bit Arm."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tools.container.dockerfile import Stage
from tools.emulation import board
from tools.emulation.cpus import missing_tools
from tools.steps import REPOSITORY, read_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.container.building import Builder

_NEWEST = 20
"""Minor version of Python 3 up to which is looked."""
_CORE = "cortex-a72"
_MOUNTS = "mount -t sysfs sysfs /sys; mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm"
"""What a minimal Debian lacks: the list of CPUs, terminals, memory that processes share."""


class Place(Protocol):
    """A system with a Python."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def missing(self) -> str:
        """Return one line that says why it cannot be had; empty where it can."""

    def run(self, folder: Path, script: str) -> Path:
        """Run lines of shell that find `$REPOSITORY`, `$FOLDER` (a copy or the folder itself), `$PYTHON` and `$PIP_OPTIONS`.

        Returns:
            The folder, with what they wrote.
        """


@dataclass(frozen=True, slots=True)
class Here:
    """A Python of this machine."""

    name: str
    python: str

    def missing(self) -> str:
        """Nothing: it was found."""
        return ""

    def run(self, folder: Path, script: str) -> Path:
        """Run it with the repository as it lies here."""
        variables = {"REPOSITORY": str(REPOSITORY), "FOLDER": str(folder), "PYTHON": self.python}
        subprocess.run(["sh", "-euc", script], env=os.environ | variables, check=True)
        return folder


@dataclass(frozen=True, slots=True)
class Debian:
    """A suite of Debian's in a folder."""

    name: str
    suite: str
    builder: Builder

    def missing(self) -> str:
        """Ask for what builds it."""
        if os.geteuid() == 0 and shutil.which("debootstrap"):
            return ""
        return "needs root, and debootstrap; on Debian: apt-get install debootstrap"

    def run(self, folder: Path, script: str) -> Path:
        """Run it as a step of building an image."""
        stage = Stage(f"python:3.0-slim-{self.suite}", self.suite)
        stage.environment = {
            "REPOSITORY": "/repository",
            "FOLDER": "/folder",
            "PYTHON": "python3",
            "LANG": "C.UTF-8",
            "HOME": "/root",
        }
        stage.environment["PIP_OPTIONS"] = os.environ.get("PIP_OPTIONS", "")
        for path in (*_carried(), folder.relative_to(REPOSITORY)):
            inside = "/folder" if path.is_relative_to("build") else f"/repository/{path}"
            stage.steps.append(("COPY", f"{path} {inside if (REPOSITORY / path).is_dir() else '/repository'}"))
        stage.steps.append(("RUN", f"{_MOUNTS}\n{script}"))
        return self.builder.build(stage) / "folder"


@dataclass(frozen=True, slots=True)
class Arm:
    """A Debian of 64-bit Arm, emulated."""

    name: str
    folder: Path

    def missing(self) -> str:
        """Ask for what emulates it."""
        return missing_tools() or board.missing()

    def run(self, folder: Path, script: str) -> Path:
        """Run it in the home folder."""
        system = board.Board(self.folder, _CORE)
        system.set_up()
        inside = system.home / "folder"
        shutil.copytree(folder, inside)
        for path in _carried():
            target = system.home / "repository" / path
            target.parent.mkdir(exist_ok=True)
            (shutil.copytree if (REPOSITORY / path).is_dir() else shutil.copy2)(REPOSITORY / path, target)
        options = shlex.quote(os.environ.get("PIP_OPTIONS", ""))
        variables = f"export REPOSITORY=$HOME/repository FOLDER=$HOME/folder PYTHON=python3 PIP_OPTIONS={options}"
        done = system.run(f"{variables}\n{script}")
        if done.returncode:
            sys.stderr.write(done.stdout)
            raise RuntimeError(f"{self.name}: status {done.returncode}")
        return inside


def pythons_here() -> Iterator[Here]:
    """Find this Python, and each newer one on the path that runs and can make environments."""
    yield Here("here", sys.executable)
    for minor in range(sys.version_info.minor + 1, _NEWEST + 1):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.run([found, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode == 0:
            yield Here("here", found)


def _carried() -> list[Path]:
    """Return what a source distribution has, by its paths in the repository."""
    return [Path("pyproject.toml"), *map(Path, read_project()["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"])]
