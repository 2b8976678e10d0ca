"""A minimal Debian of 64-bit Arm in a folder."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from helpers.support import CORTEX_A72

from tools.steps import MIRROR, run_step

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SUITE = "bookworm"


def unpack_debian(root: Path, packages: Sequence[str] = ("python3",)) -> None:
    """Download the packages of a minimal system, and more, and unpack them; none of their scripts is run."""
    unfinished = root.with_name(f"{root.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    as_root = [] if os.geteuid() == 0 else ["fakeroot"]  # debootstrap insists, though nothing here needs it
    options = ["--arch=arm64", "--foreign", "--variant=minbase", f"--include={','.join(packages)}"]
    run_step([*as_root, "debootstrap", *options, SUITE, unfinished, MIRROR])
    for package in sorted((unfinished / "var/cache/apt/archives").glob("*.deb")):
        run_step(["dpkg-deb", "--extract", package, unfinished])
        package.unlink()
    (unfinished / "proc").mkdir(exist_ok=True)
    # ONNX Runtime would read the host's, which it cannot; what the core can do it asks the emulator.
    (unfinished / "proc/cpuinfo").write_text(CORTEX_A72, encoding="ascii")
    unfinished.rename(root)
