from __future__ import annotations

import os
from pathlib import Path

import pytest

from sentiment_edge_runtimes.machine.threads import usable_cpus

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def put(root: Path, files: dict[str, str]) -> Path:
    for name, contents in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(contents)
    return root


def test_without_control_groups_it_is_the_affinity(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path) == ALL


@pytest.mark.parametrize(
    "files",
    [
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"},
        {"proc/self/cgroup": "0::/app/web\n", "sys/fs/cgroup/app/cpu.max": "50000 100000\n"},
        {"proc/self/cgroup": "0::/not/visible/inside\n", "sys/fs/cgroup/cpu.max": "70000 100000\n"},
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/docker/x\n1:memory:/docker/x\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "90000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
    ],
    ids=["version 2", "a parent's quota", "a container's mount", "version 1"],
)
def test_a_quota_of_one_cpu_or_less_leaves_one(tmp_path: Path, files: dict[str, str]) -> None:
    assert usable_cpus(put(tmp_path, files)) == 1


@pytest.mark.parametrize("limit", ["max 100000", "9900000 100000", "", "garbage", "100000 0", "-1 100000"])
def test_no_quota_or_a_wide_one_leaves_the_affinity(tmp_path: Path, limit: str) -> None:
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": limit}
    assert usable_cpus(put(tmp_path, files)) == ALL


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_the_affinity_mask_counts(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cpus(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, before)
