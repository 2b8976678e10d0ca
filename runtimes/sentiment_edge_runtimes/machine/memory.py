"""The size of this machine's memory and what is left of it, as far as the system tells."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from sentiment_edge_runtimes.machine.control_groups import control_groups, read_text

_FIELD = re.compile(r"^(\w+):? +(\d+)", re.MULTILINE)
"""One line of `proc/meminfo` or of a group's `memory.stat`."""


class Memory(NamedTuple):
    """Sizes in bytes; None if the system does not tell."""

    total: int | None
    """The memory of the machine."""
    limit: int | None
    """The most that the container may use; None too if it is not limited."""
    available: int | None
    """The memory that new work can take without swapping."""


def machine_memory(root: Path = Path("/")) -> Memory:
    """Return the memory: on Linux from `proc/meminfo` and the control groups, elsewhere from sysconf.

    Args:
        root: the folder that holds `proc` and `sys`.
    """
    fields = _fields(root / "proc/meminfo")
    if "MemTotal" not in fields:
        return Memory(_pages(), None, None)
    total = 1024 * fields["MemTotal"]
    groups = [group for group in map(_group, control_groups("memory", root)) if group is not None and group[0] < total]
    available = [room for _, room in groups] + [1024 * fields[name] for name in ("MemAvailable",) if name in fields]
    return Memory(total, min((limit for limit, _ in groups), default=None), min(available, default=None))


def _group(folder: Path) -> tuple[int, int] | None:
    """Return a group's limit and how much of it is available now; pages of files that were not used lately count as available.

    Formats: https://docs.kernel.org/admin-guide/cgroup-v2.html (`memory.max`) and
    https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (`memory.limit_in_bytes`).
    """
    for maximum, usage, idle in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = (read_text(folder / name).strip() for name in (maximum, usage))
        if limit.isdecimal():  # "max" if there is none
            taken = int(used) - _fields(folder / "memory.stat").get(idle, 0) if used.isdecimal() else 0
            return int(limit), max(0, int(limit) - max(0, taken))
    return None


def _fields(path: Path) -> dict[str, int]:
    return {name: int(value) for name, value in _FIELD.findall(read_text(path))}


def _pages() -> int | None:
    """Return the size of the memory on systems without `proc`, macOS among them."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None
