from __future__ import annotations

import os
from pathlib import Path

import pytest

from sentiment_edge_runtimes.machine.memory import Memory, machine_memory

MEMINFO = "MemTotal:        4000000 kB\nMemFree:          100000 kB\nMemAvailable:    3000000 kB\nActive(anon):    1 kB\n"
KB = 1024


def put(root: Path, files: dict[str, str]) -> Path:
    for name, contents in {"proc/meminfo": MEMINFO, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(contents)
    return root


def test_without_control_groups_it_is_the_machines(tmp_path: Path) -> None:
    assert machine_memory(put(tmp_path, {})) == Memory(4_000_000 * KB, None, 3_000_000 * KB)


@pytest.mark.parametrize(
    "files",
    [
        {
            "proc/self/cgroup": "0::/app/web\n",
            "sys/fs/cgroup/app/memory.max": "1000000000\n",
            "sys/fs/cgroup/app/memory.current": "700000000\n",
            "sys/fs/cgroup/app/memory.stat": "anon 1\ninactive_file 100000000\n",
            "sys/fs/cgroup/app/web/memory.max": "max\n",
        },
        {
            "proc/self/cgroup": "4:memory:/docker/x\n1:cpu:/docker/x\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000000\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "700000000\n",
            "sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 100000000\n",
        },
    ],
    ids=["version 2, a parent's", "version 1, a container's mount"],
)
def test_a_containers_limit_counts(tmp_path: Path, files: dict[str, str]) -> None:
    assert machine_memory(put(tmp_path, files)) == Memory(4_000_000 * KB, 1_000_000_000, 400_000_000)


@pytest.mark.parametrize("limit", ["max", "9223372036854771712", "", "garbage"])
def test_no_limit_or_one_beyond_the_machine_leaves_all(tmp_path: Path, limit: str) -> None:
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": limit}
    assert machine_memory(put(tmp_path, files)).limit is None


def test_what_the_system_does_not_tell_is_none(tmp_path: Path) -> None:
    found = machine_memory(tmp_path)
    assert (found.limit, found.available) == (None, None)
    assert found.total is None or found.total > 2**20


def test_a_system_without_sysconf_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert machine_memory(tmp_path) == Memory(None, None, None)
