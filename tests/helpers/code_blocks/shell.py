"""A shell in which the commands of a page follow each other, as in a terminal."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

_HANGS = 300
"""Seconds after which a command is taken to hang."""
_GOES_ON = re.compile(r"(?<!&)&\s*(?:#.*)?$")
_END = "kill $(jobs -p) 2>&-; wait; exit\n"


class Ended(NamedTuple):
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str


class Shell:
    """Bash with a folder, in a session of its own; its commands share variables, functions and the current folder."""

    def __init__(self, folder: Path, variables: dict[str, str], notes: Path) -> None:
        """Start it.

        Args:
            folder: where it starts.
            variables: its environment.
            notes: a folder for its commands and for what they print; those of an earlier shell stay.
        """
        pipe = subprocess.PIPE
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=variables,
            stdin=pipe,
            stdout=pipe,
            text=True,
            start_new_session=True,
        )
        self._notes = notes
        self._count = len([*notes.glob("*.sh")])
        self._say("trap : INT; set -o pipefail\n")

    def run(self, command: str, *, interrupted: bool = False) -> Ended:
        """Run a command to its end, or to its first output.

        Args:
            command: the command. If it ends in `&`, its first output is waited for, as a reader does.
            interrupted: whether to press Ctrl-C as soon as it has printed something.
        """
        self._count += 1
        script, out, err = (self._notes / f"{self._count}.{name}" for name in ("sh", "out", "err"))
        script.write_text(f"{command}\n", "utf-8")
        self._say(f". '{script}' > '{out}' 2> '{err}' < /dev/null; echo $?\n")
        if interrupted:
            self._wait_for_output(out, err)
            os.killpg(self._bash.pid, signal.SIGINT)
        status = self._status()
        if _GOES_ON.search(command):
            self._wait_for_output(out, err)
        return Ended(status, *(path.read_text("utf-8", "replace") for path in (out, err)))

    def close(self) -> None:
        """End the shell and what still runs in it."""
        with contextlib.suppress(BrokenPipeError):
            self._say(_END)
        try:
            self._bash.communicate(timeout=_HANGS)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._kill()

    def _say(self, text: str) -> None:
        assert self._bash.stdin
        self._bash.stdin.write(text)
        self._bash.stdin.flush()

    def _status(self) -> int:
        assert self._bash.stdout
        if not select.select([self._bash.stdout], [], [], _HANGS)[0]:
            self._kill()
            raise TimeoutError(f"it still ran after {_HANGS} seconds")
        answer = self._bash.stdout.readline()
        if not answer:
            self._kill()
            raise EOFError(f"it ended the shell with status {self._bash.returncode}")
        return int(answer)

    def _wait_for_output(self, *files: Path) -> None:
        end = time.monotonic() + _HANGS
        while not any(path.exists() and path.stat().st_size for path in files):
            if time.monotonic() > end:
                self._kill()
                raise TimeoutError(f"it printed nothing in {_HANGS} seconds")
            time.sleep(0.02)

    def _kill(self) -> None:
        """End everything that runs in the shell, and itself if it has not ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._bash.wait(1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()
