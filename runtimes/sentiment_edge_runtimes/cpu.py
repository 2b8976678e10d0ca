"""What this machine's CPU can do, as far as its system tells."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

Feature = Literal["avx2", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm", "sve", "bf16"]
"""Instructions that decide which int8 and bfloat16 kernels run, in the names that Linux has for them."""

_SYNONYMS: dict[str, Feature] = {
    "amx_bf16": "bf16",
    "avx512_bf16": "bf16",
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512vnni": "avx512_vnni",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
}
"""By what Linux and macOS call them besides."""


@dataclass(frozen=True, slots=True)
class CpuFeatures:
    """The CPU's name and its features, both empty where the system does not tell."""

    name: str
    features: tuple[Feature, ...]
    """In the order of `Feature`."""

    @property
    def int8_products(self) -> str:
        """How the CPU multiplies int8, in words: what answers that differ between machines most likely come from."""
        if not self.features:
            return "unknown"
        if "amx_int8" in self.features:
            return "x86 with AMX"
        if "avx512_vnni" in self.features or "avx_vnni" in self.features:
            return "x86 with VNNI"
        if "avx2" in self.features:
            return "x86 without VNNI: int8 products saturate, so exact kernels run, at half the speed"
        return "Arm with int8 matrix products (i8mm)" if "i8mm" in self.features else "Arm with dot products (asimddp)"


@cache
def cpu_features(root: Path = Path("/")) -> CpuFeatures:
    """Read them: on Linux from `proc/cpuinfo`, on macOS from sysctl.

    Args:
        root: where `proc` is mounted.
    """
    return _of_sysctl(_sysctl()) if sys.platform == "darwin" else _of_cpuinfo(_read(root / "proc/cpuinfo"), root)


def _of_cpuinfo(text: str, root: Path) -> CpuFeatures:
    """Read the first processor's lines; names of Arm cores are only numbers there, so the board's is given with them."""
    fields = _fields(text.split("\n\n", maxsplit=1)[0])
    known = {*fields.get("flags", "").split(), *fields.get("Features", "").split()}
    core = " ".join(f"{key.removeprefix('CPU ')} {fields[key]}" for key in ("CPU implementer", "CPU part") if key in fields)
    board = _read(root / "proc/device-tree/model").strip("\0\n")
    return CpuFeatures(fields.get("model name") or ", ".join(filter(None, (board, core))), _named(known))


def _of_sysctl(text: str) -> CpuFeatures:
    fields = _fields(text)
    return CpuFeatures(
        fields.get("machdep.cpu.brand_string", ""), _named({key for key, value in fields.items() if value == "1"})
    )


def _named(known: set[str]) -> tuple[Feature, ...]:
    found = {*known, *(feature for name, feature in _SYNONYMS.items() if name in known)}
    return tuple(feature for feature in get_args(Feature) if feature in found)


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _sysctl() -> str:
    try:
        command = ["/usr/sbin/sysctl", "hw.optional", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
