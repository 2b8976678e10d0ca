"""The clock of a CPU as a tree of Linux's own files tells it: of boards that this machine is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge_runtimes.machine.clock import Clock, cpu_clock
from sentiment_edge_runtimes.machine.system import PYTHON_BITS, system_name, without_wheels

PI_4 = "soc/soc:firmware"
PI_5 = "soc@107c000000/soc@107c000000:firmware"
REASONS = 4


def write(root: Path, files: dict[str, str]) -> Path:
    for name, contents in files.items():
        (root / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "sys" / name).write_text(contents)
    return root


def policy(governor: str, driver: str, core: int = 0, most: str = "1800000") -> dict[str, str]:
    folder = f"devices/system/cpu/cpufreq/policy{core}"
    values = {"scaling_governor": governor, "scaling_driver": driver, "scaling_max_freq": most}
    return {f"{folder}/{name}": f"{value}\n" for name, value in values.items()}


def throttled(bits: str, firmware: str = PI_4) -> dict[str, str]:
    return {f"devices/platform/{firmware}/get_throttled": bits}


def zone(number: int, kind: str, temperature: str) -> dict[str, str]:
    folder = f"class/thermal/thermal_zone{number}"
    return {f"{folder}/type": f"{kind}\n", f"{folder}/temp": f"{temperature}\n"}


def test_a_board_that_runs_as_it_should(tmp_path: Path) -> None:
    clock = cpu_clock(
        write(tmp_path, {**policy("ondemand", "cpufreq-dt"), **zone(0, "cpu-thermal", "48312"), **throttled("0\n")})
    )
    assert clock == Clock("ondemand", 1800, False, 48.312, ())
    assert (str(clock), clock.problems) == ("governor ondemand, up to 1800 MHz, 48 °C, not throttled since its start", ())


@pytest.mark.parametrize("firmware", [PI_4, PI_5])
@pytest.mark.parametrize(
    ("bits", "reasons"),
    [
        ("50005\n", ("the supply's voltage is too low (now)", "throttled (now)")),
        ("0x50000", ("the supply's voltage is too low (since its start)", "throttled (since its start)")),
        ("80008", ("the temperature limit is reached (now)",)),
        (
            "e0002",
            ("the clock is capped (now)", "throttled (since its start)", "the temperature limit is reached (since its start)"),
        ),
    ],
)
def test_a_board_that_is_held_back(tmp_path: Path, firmware: str, bits: str, reasons: tuple[str, ...]) -> None:
    clock = cpu_clock(write(tmp_path, throttled(bits, firmware)))
    assert (clock.held_back, clock.problems, str(clock)) == (reasons, reasons, ", ".join(reasons))


@pytest.mark.parametrize(
    ("governor", "driver", "lowest"),
    [
        ("powersave", "cpufreq-dt", True),
        ("powersave", "intel_pstate", False),
        ("powersave", "amd-pstate-epp", False),
        ("performance", "cpufreq-dt", False),
    ],
)
def test_a_governor_that_keeps_the_lowest_clock(tmp_path: Path, governor: str, driver: str, lowest: bool) -> None:
    clock = cpu_clock(write(tmp_path, policy(governor, driver)))
    assert (clock.governor, clock.lowest) == (governor, lowest)
    problem = f"governor {governor}: the CPU keeps its lowest clock"
    assert clock.problems == ((problem,) if lowest else ())
    assert str(clock) == ("up to 1800 MHz, " + problem if lowest else f"governor {governor}, up to 1800 MHz")


@pytest.mark.parametrize(
    ("big", "governor", "lowest"),
    [("schedutil", "schedutil", False), ("performance", "schedutil and performance", False), ("powersave", "", True)],
)
def test_cores_that_differ_are_all_read(tmp_path: Path, big: str, governor: str, lowest: bool) -> None:
    little = policy("schedutil", "cpufreq-dt", most="1416000")
    clock = cpu_clock(write(tmp_path, little | policy(big, "cpufreq-dt", core=4, most="2016000")))
    assert (clock.governor, clock.megahertz, clock.lowest) == (governor or "schedutil and powersave", 2016, lowest)


@pytest.mark.parametrize(("temperature", "shown"), [("-7400", "-7 °C"), ("-300", "0 °C")])
def test_a_board_in_the_frost(tmp_path: Path, temperature: str, shown: str) -> None:
    clock = cpu_clock(write(tmp_path, zone(0, "cpu-thermal", temperature)))
    assert (clock.celsius, str(clock)) == (int(temperature) / 1000, shown)


def test_only_the_cpus_temperature_counts(tmp_path: Path) -> None:
    zones = (
        zone(0, "acpitz", "99000") | zone(1, "x86_pkg_temp", "41000") | zone(2, "cpu-1-thermal", "45500") | zone(3, "cpu", "-1")
    )
    assert cpu_clock(write(tmp_path, zones)).celsius == 45.5


def test_a_system_that_tells_nothing(tmp_path: Path) -> None:
    clock = cpu_clock(tmp_path)
    assert (clock, str(clock), clock.problems) == (Clock(None, None, False, None, None), "", ())


@given(bits=st.integers(0, 2**20 - 1))
def test_each_reason_is_told_once(bits: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = write(tmp_path_factory.mktemp("board"), throttled(f"{bits:x}\n"))
    told = cpu_clock(root).held_back
    known = (bits | bits >> 16) & (2**REASONS - 1)
    assert told is not None
    assert len({reason.partition(" (")[0] for reason in told}) == len(told) == known.bit_count()


@pytest.mark.parametrize("contents", ["", "error\n", "\x00", "0x"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, contents: str) -> None:
    files = throttled(contents) | zone(0, "cpu-thermal", contents) | policy(contents, contents, most=contents)
    clock = cpu_clock(write(tmp_path, files))
    assert (clock.held_back, clock.celsius, clock.megahertz) == (None, None, None)


def test_this_machine() -> None:
    assert isinstance(str(cpu_clock()), str)


def test_a_python_of_32_bits_is_told_why_there_are_no_wheels() -> None:
    assert (without_wheels(64), PYTHON_BITS) == ("", 64)
    assert without_wheels(32).startswith(f"this Python has 32 bits (on {system_name()}), ")
