"""The control groups that bound this process on Linux, and what their files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def control_groups(controller: str, root: Path) -> Iterator[Path]:
    """Yield the folder of each group of this process that has the controller, and those above it.

    A parent's limit binds too, and a container may see only the mount.

    Args:
        controller: `cpu` or `memory`.
        root: where `proc` and `sys` are mounted.
    """
    for line in read_text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")  # version 2 names no controllers
        if not controllers or controller in controllers.split(","):
            mount = root / "sys/fs/cgroup" / (controller if controllers else "")
            folder = mount / path.strip("/")
            yield folder
            yield from (parent for parent in folder.parents if parent.is_relative_to(mount))


def read_text(path: Path) -> str:
    """Return what a file of the system says; nothing where it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
