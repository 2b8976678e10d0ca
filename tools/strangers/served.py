"""A server in a process of its own: started, looked at, ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tools.strangers.wire import Address

HANGS = 120
"""Seconds after which a server is taken to hang."""
_SAYS = re.compile(r"serving .* on (?:http://.*:(\d+)|unix:.*|.*)")


class Served:
    """A server of this working tree or another; what it writes to stderr goes to a file."""

    def __init__(self, *options: str, checkout: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.log = Path(self._folder.name) / "stderr"
        """What it has written to stderr."""
        command = [sys.executable, "-m", "sentiment_edge", "serve", *options]
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen(command, stderr=stderr, cwd=checkout, env=_environment(checkout))
        self.port = self._started()

    def _started(self) -> int:
        """Wait until it says where it listens; return the port, 0 where it is a file."""
        until = time.monotonic() + HANGS
        while time.monotonic() < until:
            for line in self.log.read_text("utf-8", "replace").splitlines(keepends=True):
                if line.endswith("\n") and (found := _SAYS.match(line)):
                    return int(found[1] or 0)
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise SystemExit(f"the server did not start:\n{self.log.read_text('utf-8', 'replace')}")

    @property
    def address(self) -> Address:
        """Where it listens."""
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        """Its address as clients write it."""
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> list[int]:
        """Return its process and those that it has started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii")
        return [self.process.pid, *map(int, children.split())]

    def resident(self) -> int:
        """Return the bytes of memory that its processes have."""
        return sum(_status(pid, "VmRSS") for pid in self.processes())

    def forget_peak(self) -> None:
        """Let `peak` count from now."""
        for pid in self.processes():
            Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")

    def peak(self) -> int:
        """Return the most bytes that its processes have had."""
        return sum(_status(pid, "VmHWM") for pid in self.processes())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(HANGS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(HANGS)
        self._folder.cleanup()


def _environment(checkout: Path | None) -> dict[str, str]:
    if checkout is None:
        return {**os.environ}
    roots = [checkout, checkout / "export", checkout / "runtimes"]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(root.resolve()) for root in roots)}


def _status(pid: int, field: str) -> int:
    """Return a size that the system states about a process; 0 for one that has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0]) * 1024
    return 0
