from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from helpers.support import CORTEX_A72

from sentiment_edge_runtimes.machine.cpu import CpuFeatures, cpu_features

XEON = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu sse2 avx avx2 avx512f avx_vnni avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8
bugs\t\t: spectre_v1

processor\t: 1
model name\t: another
"""
HASWELL = """processor\t: 0
model name\t: Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz
flags\t\t: fpu sse2 ssse3 fma avx f16c bmi1 avx2 bmi2
"""
PENTIUM = """processor\t: 0
model name\t: Intel(R) Pentium(R) CPU G630 @ 2.70GHz
flags\t\t: fpu sse2 ssse3 sse4_1 sse4_2
"""
GRAVITON_3 = """processor\t: 0
Features\t: fp asimd aes asimddp sve i8mm bf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""
AMPERE = """processor\t: 0
Features\t: fp asimd asimdhp asimddp
CPU implementer\t: 0xc0
CPU part\t: 0xac3
"""
ARM_OF_32_BITS = """processor\t: 0
model name\t: ARMv7 Processor rev 3 (v7l)
Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4
"""
APPLE = """machdep.cpu.brand_string: Apple M2
hw.optional.AdvSIMD: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 1
hw.optional.arm.FEAT_BF16: 1
hw.optional.arm.FEAT_SME: 0
hw.optional.avx2_0: 0
"""


def read(root: Path, cpuinfo: str, model: str = "") -> CpuFeatures:
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/cpuinfo").write_text(cpuinfo)
    if model:
        (root / "proc/device-tree/model").write_text(model)
    return cpu_features(root)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no cpuinfo")
@pytest.mark.parametrize(
    ("cpuinfo", "name", "features", "products"),
    [
        (
            XEON,
            "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
            ("avx2", "avx512_vnni", "avx_vnni", "amx_int8", "bf16"),
            "x86 with AMX",
        ),
        (HASWELL, "Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz", ("avx2",), "x86 without VNNI"),
        (PENTIUM, "Intel(R) Pentium(R) CPU G630 @ 2.70GHz", (), "unknown"),
        (CORTEX_A72, "Cortex-A72", ("asimd",), "Arm without dot products"),
        (GRAVITON_3, "Neoverse-V1", ("asimd", "asimddp", "i8mm", "sve", "bf16"), "Arm with int8 matrix products"),
        (AMPERE, "implementer 0xc0 part 0xac3", ("asimd", "asimddp"), "Arm with dot products"),
        (ARM_OF_32_BITS, "ARMv7 Processor rev 3 (v7l)", ("asimd",), "Arm without dot products"),
        ("", "", (), "unknown"),
    ],
    ids=["AMX", "AVX2 only", "older x86", "Cortex-A72", "Neoverse V1", "Ampere", "32 bits", "nothing told"],
)
def test_what_linux_tells_of_a_cpu(tmp_path: Path, cpuinfo: str, name: str, features: tuple[str, ...], products: str) -> None:
    found = read(tmp_path, cpuinfo)
    assert (found.name, found.features) == (name, features)
    assert found.int8_products.startswith(products)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no cpuinfo")
def test_the_board_is_named_with_its_core(tmp_path: Path) -> None:
    assert read(tmp_path, CORTEX_A72, "Raspberry Pi 4 Model B Rev 1.4\0").name == "Raspberry Pi 4 Model B Rev 1.4, Cortex-A72"


@pytest.mark.skipif(os.name != "posix", reason="a script stands for the program")
def test_what_macos_tells_of_a_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    sysctl = tmp_path / "usr/sbin/sysctl"
    sysctl.parent.mkdir(parents=True)
    sysctl.write_text(f"#!/bin/sh\ncat <<'end'\n{APPLE}end\n")
    sysctl.chmod(0o755)
    found = cpu_features(tmp_path)
    assert (found.name, found.features) == ("Apple M2", ("asimd", "asimddp", "i8mm", "bf16"))
    assert found.int8_products.startswith("Arm with int8 matrix products")
    assert cpu_features(tmp_path / "without").features == ()
