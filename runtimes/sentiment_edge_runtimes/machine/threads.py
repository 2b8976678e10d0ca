"""The number of CPUs that this process may really use."""

from __future__ import annotations

import math
import os
from pathlib import Path

from sentiment_edge_runtimes.machine.control_groups import control_groups, read_text


def usable_cpus(root: Path = Path("/")) -> int:
    """Return the number of CPUs that the affinity mask and, on Linux, the container's quota allow; at least 1.

    Args:
        root: the folder that holds `proc` and `sys`.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, _quota(root))))


def _quota(root: Path) -> float:
    """Return the tightest CPU quota of this process's control groups, in CPUs; infinity if there is none.

    Formats: https://docs.kernel.org/admin-guide/cgroup-v2.html (`cpu.max`) and
    https://docs.kernel.org/scheduler/sched-bwc.html (`cpu.cfs_quota_us`, version 1).
    """
    return min(map(_group_quota, control_groups("cpu", root)), default=math.inf)


def _group_quota(group: Path) -> float:
    v2 = read_text(group / "cpu.max").split()
    v1 = [*read_text(group / "cpu.cfs_quota_us").split(), *read_text(group / "cpu.cfs_period_us").split()]
    for numbers in (v2, v1):
        if len(numbers) == 2 and numbers[0].isdigit() and numbers[1].isdigit() and int(numbers[1]):  # noqa: PLR2004
            return int(numbers[0]) / int(numbers[1])
    return math.inf  # "max" in version 2, -1 in version 1
