"""The environment that apps are built in: this project's wheel, what it needs, and the programs that freeze."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
APP = Path(__file__).parent / "app.py"
BUNDLE = REPOSITORY / "tests/data/bundle-format-1"
"""The bundle that an app has as data; it has models for two engines."""
CONSTRAINTS = REPOSITORY / "constraints.txt"
_REQUIREMENTS = Path(__file__).parent / "requirements.txt"


@dataclass(frozen=True, slots=True)
class Workshop:
    """A folder for everything that is made."""

    folder: Path

    @property
    def environment(self) -> Path:
        """The virtual environment."""
        return self.folder / "venv"

    @property
    def wheel(self) -> Path:
        """The wheel of this project, once it is built."""
        return next((self.folder / "wheel").glob("*.whl"))

    def set_up(self) -> None:
        """Build the wheel and the environment, both anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", self.folder / "wheel", REPOSITORY)
        run(sys.executable, "-m", "venv", self.environment)
        self.install(self.wheel, "--requirement", _REQUIREMENTS)

    def install(self, *what: str | Path) -> None:
        """Install something into the environment, in the versions that this project is tested with."""
        self.run("python", "-m", "pip", "install", *pip_options(), *what)

    def place(self, name: str) -> Path:
        """Return a new folder that holds the app and the bundle."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(BUNDLE, folder / "bundle")
        shutil.copy(APP, folder)
        return folder

    def run(self, program: str, *arguments: str | Path, folder: Path | None = None, **environment: str) -> None:
        """Run one of the environment's programs."""
        path = f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        run(self.environment / "bin" / program, *arguments, folder=folder, PATH=path, **environment)


def pip_options() -> list[str | Path]:
    """Return the options for pip: the user's from the environment, and the versions."""
    return [*shlex.split(os.environ.get("PIP_OPTIONS", "")), "--quiet", "--constraint", CONSTRAINTS]


def run(*command: str | Path, folder: Path | None = None, **environment: str) -> None:
    """Run a command; end with its output if it fails."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, command))} failed with status {done.returncode}:\n{done.stdout[-8000:]}")


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; of a file with two names once."""
    if path.is_file():
        return path.stat().st_size
    statuses = [each.lstat() for each in path.rglob("*") if not each.is_dir()]
    return sum({(status.st_dev, status.st_ino): status.st_size for status in statuses}.values())
