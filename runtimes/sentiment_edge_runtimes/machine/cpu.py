"""The name of this machine's CPU and the instructions it has, as far as the system tells."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from sentiment_edge_runtimes.machine.control_groups import read_text

Feature = Literal["avx2", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm", "sve", "bf16"]
"""Instructions that decide which int8 and bfloat16 kernels run, in the names that Linux has for them."""

_SYNONYMS: dict[str, Feature] = {
    "amx_bf16": "bf16",
    "avx512_bf16": "bf16",
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512vnni": "avx512_vnni",
    "neon": "asimd",
    "hw.optional.AdvSIMD": "asimd",
    "hw.optional.arm.AdvSIMD": "asimd",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
}
"""Features by the other names that Linux and macOS have for them."""

_ARM_CORES = {
    "0xd03": "Cortex-A53",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}
"""Names of Arm's own common cores by part number: Linux tells the number only."""
_ARM = "0x41"
_INT8_PRODUCTS: dict[Feature, str] = {
    "amx_int8": "x86 with AMX",
    "avx512_vnni": "x86 with VNNI",
    "avx_vnni": "x86 with VNNI",
    "avx2": "x86 without VNNI",
    "i8mm": "Arm with int8 matrix products (i8mm)",
    "asimddp": "Arm with dot products (asimddp)",
    "asimd": "Arm without dot products: each int8 product takes several instructions",
}
"""Descriptions of how a CPU with a feature multiplies int8, the fastest way first."""


class CpuFeatures(NamedTuple):
    """A CPU's name and its features, both empty if the system does not tell."""

    name: str
    features: tuple[Feature, ...]
    """In the order of `Feature`."""

    @property
    def int8_products(self) -> str:
        """Describe the way the CPU multiplies int8: the most likely reason where answers differ between machines."""
        return next((words for feature, words in _INT8_PRODUCTS.items() if feature in self.features), "unknown")


@cache
def cpu_features(root: Path = Path("/")) -> CpuFeatures:
    """Return the features of this machine's CPU: on Linux from `proc/cpuinfo`, on macOS from sysctl.

    Args:
        root: the folder that holds `proc` and `usr`.
    """
    return _of_sysctl(_sysctl(root)) if sys.platform == "darwin" else _of_cpuinfo(read_text(root / "proc/cpuinfo"), root)


def _of_cpuinfo(text: str, root: Path) -> CpuFeatures:
    """Return the features that the first processor's lines tell; an Arm core is named together with its board."""
    fields = _fields(text.split("\n\n", maxsplit=1)[0])
    known = {*fields.get("flags", "").split(), *fields.get("Features", "").split()}
    board = read_text(root / "proc/device-tree/model").strip("\0\n")
    return CpuFeatures(fields.get("model name") or ", ".join(filter(None, (board, _core(fields)))), _named(known))


def _core(fields: dict[str, str]) -> str:
    """Return the name of an Arm core, or the numbers that identify it."""
    implementer, part = fields.get("CPU implementer"), fields.get("CPU part")
    if implementer == _ARM and part in _ARM_CORES:
        return _ARM_CORES[part]
    return " ".join(f"{name} {number}" for name, number in (("implementer", implementer), ("part", part)) if number)


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


def _sysctl(root: Path) -> str:
    import subprocess  # noqa: PLC0415 - slow to import, and only macOS needs it

    try:
        command = [str(root / "usr/sbin/sysctl"), "hw.optional", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired):
        return ""
