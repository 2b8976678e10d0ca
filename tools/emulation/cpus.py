"""The CPUs to emulate, and how a Python program is run on each."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tools.emulation.arm_system import ArmSystem

Architecture = Literal["x86_64", "aarch64"]

PACKAGES = "qemu-user-static debootstrap debian-archive-keyring"


@dataclass(frozen=True, slots=True)
class Cpu:
    """One model of QEMU's."""

    name: str
    architecture: Architecture

    def python(self, system: ArmSystem, *, stepwise: bool = False) -> list[str]:
        """Return the command that runs Python on this CPU: this environment's own, or that of the Arm system.

        Args:
            system: where Arm's programs are.
            stepwise: translate one instruction at a time. Translated AVX leaves the upper halves of the registers in a state
                in which recent Intel CPUs run the emulator's own arithmetic many times slower; this ends that state. It is
                eight times as fast where most of the time goes into fp32 products, and slower elsewhere.
        """
        emulator = qemu(self.architecture)
        command = [emulator, "-cpu", self.name]
        if self.architecture == "x86_64":
            return [*command, *([_stepwise_option(emulator)] if stepwise else []), sys.executable]
        return [*command, "-L", str(system.root), "-E", f"PYTHONPATH={system.packages}", str(system.python)]


CPUS = (
    Cpu("Haswell", "x86_64"),  # AVX2, no VNNI
    Cpu("cortex-a72", "aarch64"),  # a Raspberry Pi 4: no dot product
    Cpu("neoverse-n1", "aarch64"),  # dot product
    Cpu("max", "aarch64"),  # whatever the emulator knows: SVE, int8 matrix products, bfloat16
)


def missing_tools() -> str:
    """Return one line that says what to install, empty where nothing is missing."""
    tools = [f"qemu-{name}-static" for name in ("x86_64", "aarch64") if not _found(name)]
    tools += [name for name in ("debootstrap", "dpkg-deb") if not shutil.which(name)]
    if not tools:
        return ""
    return f"{', '.join(tools)}: not found; on Debian or Ubuntu: apt-get install {PACKAGES}"


def qemu(architecture: Architecture) -> str:
    """Return the emulator's path."""
    path = _found(architecture)
    if path is None:
        raise FileNotFoundError(missing_tools())
    return path


def _found(architecture: str) -> str | None:
    return shutil.which(f"qemu-{architecture}-static") or shutil.which(f"qemu-{architecture}")


@cache
def _stepwise_option(emulator: str) -> str:
    """Return the option's name: it was renamed in QEMU 8.1."""
    usage = subprocess.run([emulator, "--help"], capture_output=True, text=True, check=False).stdout
    return "-one-insn-per-tb" if "one-insn-per-tb" in usage else "-singlestep"
