"""How many CPUs this process may really use."""

from __future__ import annotations

import math
import os
from pathlib import Path


def usable_cpus(root: Path = Path("/")) -> int:
    """Return the CPUs left by the affinity mask and, on Linux, by the container's quota; at least 1.

    Args:
        root: where `proc` and `sys` are mounted.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, _quota(root))))


def _quota(root: Path) -> float:
    """Return the tightest CPU quota of this process's control groups, in CPUs; infinity without one.

    Formats: https://docs.kernel.org/admin-guide/cgroup-v2.html (`cpu.max`) and
    https://docs.kernel.org/scheduler/sched-bwc.html (`cpu.cfs_quota_us`, version 1).
    """
    quota = math.inf
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        for group in _with_parents(mount, path):
            quota = min(quota, _group_quota(group))
    return quota


def _with_parents(mount: Path, path: str) -> list[Path]:
    """Return the group's folder and those above it: a parent's quota binds too, and a container may see only the mount."""
    folder = mount / path.strip("/")
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(mount))]


def _group_quota(group: Path) -> float:
    v2 = _read(group / "cpu.max").split()
    v1 = [*_read(group / "cpu.cfs_quota_us").split(), *_read(group / "cpu.cfs_period_us").split()]
    for numbers in (v2, v1):
        if len(numbers) == 2 and numbers[0].isdigit() and numbers[1].isdigit() and int(numbers[1]):  # noqa: PLR2004
            return int(numbers[0]) / int(numbers[1])
    return math.inf  # "max" in version 2, -1 in version 1


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
