"""The control groups that limit this process on Linux, and the contents of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def control_groups(controller: str, root: Path) -> Iterator[Path]:
    """Yield the folders of this process's groups that have a controller, each followed by those above it.

    A limit of a parent holds too, and a container may see only the mount.

    Args:
        controller: `cpu` or `memory`.
        root: the folder that holds `proc` and `sys`.
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
    """Return the contents of one of the system's files; an empty string if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
