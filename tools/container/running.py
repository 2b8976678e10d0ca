"""Running a built stage as `docker run --read-only --cap-drop ALL` would: namespaces of its own, nothing that it may write."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.container.dockerfile import Stage

STARTS = 120
"""Seconds after which a server is taken to never start, or to never end."""
_START = """
ip link set lo up
mount --bind "$0" "$0"
mount -t proc proc "$0/proc"
if [ -n "$1" ]; then mount --bind --options ro "$1" "$0/bundle"; fi
mount --options remount,bind,ro "$0"
shift
exec chroot "$0" "$@"
"""


class Container:
    """A stage that runs; it has no network but its own loopback."""

    def __init__(self, root: Path, stage: Stage, bundle: Path | None = None, *arguments: str) -> None:
        self._stage = stage
        (root / "bundle").mkdir(exist_ok=True)
        variables = [f"{name}={value}" for name, value in stage.environment.items()]
        user, _, group = stage.user.partition(":")
        rights = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        self._inside = [*rights, "env", "-i", *variables]
        namespaces = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
        start = ["sh", "-euc", _START, str(root), str(bundle or "")]
        program = [*self._inside, *stage.entrypoint, *arguments]
        self._process = subprocess.Popen([*namespaces, *start, *program], stderr=subprocess.PIPE, text=True)

    def first_line(self) -> str:
        """Return the first line that it says, which a server says when it answers."""
        return self._process.stderr.readline().strip() if self._process.stderr else ""

    @property
    def pid(self) -> int:
        """The number here of its first process, which is 1 inside."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text("ascii")
        return int(children.split()[0])

    def run(self, *program: str, as_root: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a program inside, as `docker exec` would."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--net", "--ipc", "--uts", "--root", "--wd"]
        inside = [] if as_root else self._inside
        return subprocess.run([*enter, *inside, *program], capture_output=True, text=True, timeout=STARTS, check=False)

    def is_healthy(self) -> bool:
        """Run the image's health check."""
        return self.run(*self._stage.health).returncode == 0

    def send(self, number: int) -> None:
        """Send a signal to its first process."""
        os.kill(self.pid, number)

    def stop(self) -> int:
        """Stop it as `docker stop` would, and return its exit status."""
        self.send(signal.Signals[self._stage.stop_signal])
        self._process.communicate(timeout=STARTS)
        return self._process.returncode
