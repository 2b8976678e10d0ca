"""A Debian of 64-bit Arm whose programs start each other, as on a board: the kernel hands each to the emulator.

That is so in namespaces of their own only, which end with the command: nothing on this machine changes, and no one need be
root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.support import CORTEX_A72

from tools.emulation.cpus import qemu
from tools.emulation.debian import unpack_debian
from tools.steps import build_wheel

if TYPE_CHECKING:
    from pathlib import Path

CORES = {
    "cortex-a53": ("0xd03", ""),
    "cortex-a72": ("0xd08", ""),
    "cortex-a76": ("0xd0b", " asimdhp asimddp"),
}
"""The cores of the boards by the emulator's names, each with what sets its `/proc/cpuinfo` apart: part number and features."""
PACKAGES = ("python3", "python3-venv", "python3-pip")
"""What a Raspberry Pi's system brings."""
_HOME, _WHEELS, _CERTIFICATES = "/home/pi", "/opt/wheels", "/opt/certificates.pem"
_MOUNTED = ("proc", "dev", "sys", "opt/formats")
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
"""Programs of this architecture: https://docs.kernel.org/admin-guide/binfmt-misc.html."""
_ENTER = f"""
set -e
mount -t binfmt_misc none "$1/opt/formats"
printf '%s' ':aarch64:M::{_MAGIC}:{_MASK}:'"$2"':F' > "$1/opt/formats/register"
mount -t proc none "$1/proc"
mount --bind "$3" "$1/proc/cpuinfo"
mount --rbind /dev "$1/dev"
mount --rbind /sys "$1/sys"
exec chroot "$1" /usr/bin/env -i "${{@:4}}" /bin/bash -euo pipefail -s
"""


@dataclass(frozen=True, slots=True)
class Board:
    """The system in its folder; made once, then kept, but for its home folder."""

    folder: Path
    cpu: str
    """The emulator's name of the core."""

    @property
    def root(self) -> Path:
        """The system's root."""
        return self.folder / "board-arm64"

    @property
    def home(self) -> Path:
        """Its user's home folder, as seen from outside."""
        return self.root / _HOME.lstrip("/")

    def set_up(self) -> None:
        """Make the system if it is missing, an empty home folder, and this working tree's wheel."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.root.exists():
            unpack_debian(self.root, PACKAGES)
        part, features = CORES[self.cpu]
        cpuinfo = CORTEX_A72.replace("0xd08", part).replace(" cpuid\n", f" cpuid{features}\n")
        (self.folder / "cpuinfo").write_text(cpuinfo, encoding="ascii")
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        build_wheel(self.root / _WHEELS.lstrip("/"))
        for name in (*_MOUNTED, "tmp"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        if certificates := os.environ.get("PIP_CERT"):
            shutil.copy(certificates, self.root / _CERTIFICATES.lstrip("/"))

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run lines of shell in the home folder; what they print comes back as one text."""
        namespaces = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"]
        places = [str(self.root), qemu("aarch64"), str(self.folder / "cpuinfo")]
        return subprocess.run(
            ["unshare", *namespaces, "bash", "-c", _ENTER, "enter", *places, *self._variables()],
            input=f"cd\n{script}\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def _variables(self) -> list[str]:
        passed = [f"{name}={os.environ[name]}" for name in ("http_proxy", "https_proxy", "PIP_INDEX_URL") if name in os.environ]
        certificates = [f"PIP_CERT={_CERTIFICATES}"] if "PIP_CERT" in os.environ else []
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        pip = [f"PIP_FIND_LINKS={_WHEELS}", "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_PROGRESS_BAR=off"]
        return [f"QEMU_CPU={self.cpu}", f"HOME={_HOME}", "LANG=C.UTF-8", path, *pip, *certificates, *passed]


def missing() -> str:
    """Return one line that says why this machine cannot run it; empty if it can."""
    if sys.platform != "linux":
        return "needs Linux"
    attempt = ["mount", "-t", "binfmt_misc", "none", "/proc/sys/fs/binfmt_misc"]
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", *attempt], check=False, capture_output=True)
    return "" if done.returncode == 0 else "needs Linux 6.7 or later that lets users have namespaces with binfmt_misc in them"
