"""A minimal Debian of 64-bit Arm in a folder, and this working tree's wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.support import CORTEX_A72

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Path(__file__).parents[2]
SUITE = "bookworm"
_MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")


def unpack_debian(root: Path, packages: Sequence[str] = ("python3",)) -> None:
    """Download the packages of a minimal system, and more, and unpack them; none of their scripts is run."""
    unfinished = root.with_name(f"{root.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    as_root = [] if os.geteuid() == 0 else ["fakeroot"]  # debootstrap insists, though nothing here needs it
    options = ["--arch=arm64", "--foreign", "--variant=minbase", f"--include={','.join(packages)}"]
    run_step([*as_root, "debootstrap", *options, SUITE, unfinished, _MIRROR])
    for package in sorted((unfinished / "var/cache/apt/archives").glob("*.deb")):
        run_step(["dpkg-deb", "--extract", package, unfinished])
        package.unlink()
    (unfinished / "proc").mkdir(exist_ok=True)
    # ONNX Runtime would read the host's, which it cannot; what the core can do it asks the emulator.
    (unfinished / "proc/cpuinfo").write_text(CORTEX_A72, encoding="ascii")
    unfinished.rename(root)


def build_wheel(folder: Path) -> Path:
    """Build this working tree's wheel, the only one in the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    run_step([sys.executable, "-m", "build", "--wheel", "--outdir", folder, REPOSITORY])
    (wheel,) = folder.glob("*.whl")
    return wheel


def run_step(command: Sequence[str | Path]) -> None:
    """Run a step of setting up, its output shown only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise RuntimeError(f"{command[0]} failed with status {done.returncode}")
