"""Worker processes that go through all inputs: one that dies or hangs is replaced, and its last input counts as failed."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING

from tools.hostile.outcome import Reply, Tally, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
_CHUNK = 100
"""Inputs of one task: a process takes one task after the other."""
_HANGS = 600
"""Seconds without a reply after which a process is taken to hang, however busy the machine."""
_DYING = 30
"""Seconds for a process that has closed its replies to end: the system may be writing its memory to disk."""
_TAIL = 4
"""Lines of a dead process's stderr that are reported."""


def run(tallies: Mapping[str, Tally], counts: Mapping[str, int], example: Task, jobs: int) -> None:
    """Read all inputs and count their outcomes.

    Args:
        tallies: by reader; they are added to.
        counts: the number of inputs of each reader.
        example: a task with the options that all tasks share.
        jobs: worker processes at once.
    """
    tasks: SimpleQueue[Task] = SimpleQueue()
    for name, tally in tallies.items():
        for start in range(0, counts[name], _CHUNK):
            stop = min(start + _CHUNK, counts[name])
            tasks.put(replace(example, name=name, module=tally.entry.module, start=start, stop=stop))
    lock = Lock()

    def work() -> None:
        with tempfile.TemporaryDirectory(prefix="hostile-") as scratch:
            for name, reply in _replies(_waiting(tasks), Path(scratch)):
                with lock:
                    tallies[name].add(reply)

    with ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(work) for _ in range(jobs)]:
            future.result()


def spread(shares: Sequence[int], inputs: int) -> list[int]:
    """Return numbers of inputs in the proportion of the shares, at least one each, and at least `inputs` together."""
    return [max(1, -(-inputs * share // sum(shares))) for share in shares]


def _waiting(tasks: SimpleQueue[Task]) -> Iterator[Task]:
    while True:
        try:
            yield tasks.get_nowait()
        except Empty:
            return


def _replies(tasks: Iterator[Task], scratch: Path) -> Iterator[tuple[str, Reply]]:
    """Yield the outcome of each input of the tasks, with its reader's name."""
    worker: _Worker | None = None
    for task in tasks:
        remaining = task
        while remaining.start < remaining.stop:
            worker = worker or _Worker(scratch)
            worker.send(remaining)
            last = remaining.start
            for reply in worker.replies(remaining):
                last = reply.number
                if reply.kind != "started":
                    yield task.name, reply
                    remaining = replace(remaining, start=reply.number + 1)
            if remaining.start < remaining.stop:
                yield task.name, worker.death(task, last)
                remaining = replace(remaining, start=last + 1)
                worker = None
    if worker is not None:
        worker.close()


class _Worker:
    """One process, its replies and its stderr."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._stderr = scratch / "stderr"
        paths = [str(ROOT), str(ROOT / "tests"), *filter(None, sys.path)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools.hostile.worker", str(scratch)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                cwd=ROOT,
            )
        self._pending = b""

    def send(self, task: Task) -> None:
        """Give the process a task."""
        assert self._process.stdin is not None  # noqa: S101 - for mypy
        self._process.stdin.write(task.line().encode())
        self._process.stdin.flush()

    def replies(self, task: Task) -> Iterator[Reply]:
        """Yield its replies until the task is done or the process has died."""
        while (line := self._line()) is not None:
            reply = Reply.of_line(line)
            yield reply
            if reply.kind != "started" and reply.number == task.stop - 1:
                return

    def death(self, task: Task, number: int) -> Reply:
        """Return how the process ended as the outcome of the input that it was at, which is kept."""
        try:
            status = self._process.wait(_DYING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self.close()
        tail = self._stderr.read_bytes().decode("utf-8", "replace").splitlines()[-_TAIL:]
        if (kept := task.kept(number)) and (self._scratch / "input").is_dir():
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(self._scratch / "input", kept, symlinks=True)
        return Reply(number, "failed", _ending(status, task.seconds), "\n".join(line[:300] for line in tail))

    def close(self) -> None:
        """Let the process end."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()

    def _line(self) -> bytes | None:
        """Return the next line of its replies; None if there will be none."""
        assert self._process.stdout is not None  # noqa: S101 - for mypy
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._pending:
            ready, _, _ = select.select([descriptor], [], [], _HANGS)
            block = os.read(descriptor, 2**16) if ready else b""
            if not block:
                return None
            self._pending += block
        line, _, self._pending = self._pending.partition(b"\n")
        return line


def _ending(status: int, seconds: int) -> str:
    """Return in words how a process ended."""
    if status == -signal.SIGPROF:
        return f"more than {seconds} s of CPU time"
    if status == -signal.SIGKILL:
        return f"no reply for {_HANGS} s, or killed for its memory"
    return f"the process died of {signal.Signals(-status).name}" if status < 0 else f"the process ended with status {status}"
