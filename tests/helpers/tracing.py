"""Programs under strace: the sockets that they open and the files that they create, their children's too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

_CREATING = ("creat", "mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat")
_RENAMING = ("rename", "renameat", "renameat2")
_CALLS = ("%network", *(f"?{name}" for name in ("open", "openat", "openat2", *_CREATING, *_RENAMING)))
_OPTIONS = ("-f", "--seccomp-bpf", "-qq", "-y", "-s", "4096", "-e", "signal=none", "-e", f"trace={','.join(_CALLS)}")
_LINE = re.compile(r"\d+ +(?P<call>\w+)\((?P<arguments>.*?)(?:\) += (?P<result>.*)| <unfinished \.\.\.>)$")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')
_HANGS = 600


class Trace(NamedTuple):
    """A process that has ended, and what it did on the way."""

    status: int
    output: str
    """Standard output and standard error."""
    sockets: list[str]
    """The calls that opened a socket which reaches beyond this machine's processes: not a socket pair, not AF_UNIX."""
    created: list[Path]
    """The files and folders that it created, or tried to."""

    def created_outside(self, *folders: Path) -> list[Path]:
        """Return what it created that lies in none of the folders, is none of them and leads to none of them."""
        return [path for path in self.created if not any(_lies_in(path, folder) for folder in folders)]


class Traced:
    """A process that runs under strace, with a home and a temporary folder of its own."""

    def __init__(self, folder: Path, *program: str | Path, stdin: bytes = b"", **variables: str) -> None:
        self.home, self.temporary, self.work = (folder / name for name in ("home", "tmp", "work"))
        for each in (self.home, self.temporary, self.work):
            each.mkdir(parents=True, exist_ok=True)
        self._record = folder / "trace.txt"
        self._stdin, self._output = folder / "stdin", folder / "output"
        self._stdin.write_bytes(stdin)
        with self._stdin.open("rb") as source, self._output.open("wb") as sink:
            self.process = subprocess.Popen(
                ["strace", *_OPTIONS, "-o", self._record, *program],
                stdin=source,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=self.work,
                env={**_environment(), "HOME": str(self.home), "TMPDIR": str(self.temporary), **variables},
            )

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self._output.read_text("utf-8", "replace")

    @property
    def program(self) -> int:
        """The process that strace follows."""
        process = self.process.pid
        return int(Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()[0])

    def left(self) -> dict[str, list[str]]:
        """Return the files that are left in its folders, by folder."""
        folders = (self.home, self.temporary, self.work)
        return {
            each.name: sorted(str(path.relative_to(each)) for path in each.rglob("*") if path.is_file()) for each in folders
        }

    def wait(self) -> Trace:
        """Wait for its end."""
        status = self.process.wait(_HANGS)
        calls = [found for line in self._record.read_text("utf-8", "replace").splitlines() if (found := _LINE.match(line))]
        sockets = [f"{call['call']}({call['arguments']})" for call in calls if _reaches_out(call)]
        return Trace(status, self.output, sockets, [path for call in calls for path in _created(call, self.work)])


def can_trace() -> bool:
    """Tell whether strace is installed and may follow processes here."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", *_OPTIONS, "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


def _environment() -> dict[str, str]:
    """The environment without what would keep libraries from reporting, or lead files elsewhere."""
    dropped = re.compile(r"CI|TF_BUILD|JENKINS_URL|.*TELEMETRY.*|DO_NOT_TRACK|XDG_.*|HF_.*|SENTIMENT_EDGE_.*|MPLCONFIGDIR")
    kept = {name: value for name, value in os.environ.items() if not dropped.fullmatch(name)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def _lies_in(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) or path in folder.parents


def _reaches_out(call: re.Match[str]) -> bool:
    return call["call"] == "socket" and not call["arguments"].startswith("AF_UNIX")


def _created(call: re.Match[str], work: Path) -> list[Path]:
    name, arguments = call["call"], call["arguments"]
    if name.startswith("open") and "O_CREAT" not in arguments:
        return []
    if not name.startswith("open") and name not in _CREATING + _RENAMING:
        return []
    if "EEXIST" in (call["result"] or ""):
        return []
    paths = [Path(found["folder"] or work, found["path"]) for found in _PATH.finditer(arguments)]
    return paths[-1:] if name in _RENAMING or "link" in name else paths[:1]
