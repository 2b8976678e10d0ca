"""The clock at which the CPU may run now: its governor, its temperature, and whether a Raspberry Pi holds it back. On Linux."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.machine.control_groups import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_DYNAMIC_DRIVERS = ("intel_pstate", "amd-pstate-epp")
"""Those whose governor `powersave` is not the lowest clock: https://docs.kernel.org/admin-guide/pm/intel_pstate.html."""
_CPU_ZONES = ("cpu", "x86_pkg_temp", "soc")
"""What names of thermal zones of CPUs begin with; a Raspberry Pi's is `cpu-thermal`."""
_FIRMWARE = ("soc*/soc*firmware", "soc*firmware")
"""Folders of a Raspberry Pi's firmware below `sys/devices/platform`, by version of the kernel and of the board."""
_REASONS = ("the supply's voltage is too low", "the clock is capped", "throttled", "the temperature limit is reached")
"""By bit: https://www.raspberrypi.com/documentation/computers/os.html#get_throttled."""
_EARLIER = 16
"""The bits that say the same of any time since the start lie so much higher."""


class Clock(NamedTuple):
    """The state that decides the CPU's clock; None where the system does not tell."""

    governor: str | None
    """Linux's way to choose the clock, such as `ondemand`; each of them where the cores differ."""
    megahertz: int | None
    """The highest clock that it may choose, of any core."""
    lowest: bool
    """True if the governor keeps the lowest clock, so that the CPU is slower than it can be."""
    celsius: float | None
    """The CPU's temperature."""
    held_back: tuple[str, ...] | None
    """The reasons why a Raspberry Pi runs slower than it could, now or at some time since its start."""

    @property
    def problems(self) -> tuple[str, ...]:
        """The reasons why measured times are longer than they need be."""
        lowest = (f"governor {self.governor}: the CPU keeps its lowest clock",) if self.lowest else ()
        return *lowest, *(self.held_back or ())

    def __str__(self) -> str:
        """Return what is known on one line; empty where nothing is."""
        known = (
            None if self.governor is None or self.lowest else f"governor {self.governor}",
            None if self.megahertz is None else f"up to {self.megahertz} MHz",
            None if self.celsius is None else f"{round(self.celsius)} °C",
            *self.problems,
            "not throttled since its start" if self.held_back == () else None,
        )
        return ", ".join(filter(None, known))


def cpu_clock(root: Path = Path("/")) -> Clock:
    """Return the state as it is now.

    Args:
        root: the folder that holds `sys`.
    """
    policies = sorted(root.glob("sys/devices/system/cpu/cpufreq/policy*"))  # several where the cores differ
    governors = [_read(policy / "scaling_governor") for policy in policies]
    drivers = [_read(policy / "scaling_driver") for policy in policies]
    clocks = [_whole(policy / "scaling_max_freq") for policy in policies]  # in kHz
    return Clock(
        " and ".join(dict.fromkeys(filter(None, governors))) or None,
        max((clock // 1000 for clock in clocks if clock is not None), default=None),
        any(
            governor == "powersave" and driver not in _DYNAMIC_DRIVERS
            for governor, driver in zip(governors, drivers, strict=True)
        ),
        max(_temperatures(root / "sys/class/thermal"), default=None),
        _held_back(root / "sys/devices/platform"),
    )


def _temperatures(folder: Path) -> Iterator[float]:
    for zone in folder.glob("thermal_zone*"):
        degrees = _whole(zone / "temp")  # in thousandths
        if read_text(zone / "type").startswith(_CPU_ZONES) and degrees is not None:
            yield degrees / 1000


def _read(file: Path) -> str:
    return read_text(file).strip()


def _whole(file: Path) -> int | None:
    try:
        return int(read_text(file))
    except ValueError:  # empty, if it is missing or may not be read
        return None


def _held_back(devices: Path) -> tuple[str, ...] | None:
    """Return what a Raspberry Pi's firmware tells."""
    for pattern in _FIRMWARE:
        for file in devices.glob(f"{pattern}/get_throttled"):
            try:
                bits = int(read_text(file), 16)
            except ValueError:  # empty, if it may not be read
                continue
            return (*_of(bits, "now"), *_of(bits >> _EARLIER & ~bits, "since its start"))
    return None


def _of(bits: int, when: str) -> Iterator[str]:
    return (f"{reason} ({when})" for bit, reason in enumerate(_REASONS) if bits >> bit & 1)
