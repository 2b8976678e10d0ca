"""A program and all that it starts, watched: the CPU time of each part, and the memory of one worker."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BIN = Path(sys.executable).parent
REPOSITORY = Path(__file__).parents[2]
OTHERS = ("driver", "executor", "node")
"""The roles of processes that do not label."""
_SECONDS = 0.2
"""Between two looks."""
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "runtimes"))),
    "PYSPARK_PYTHON": sys.executable,
    "SPARK_LOCAL_IP": "127.0.0.1",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_AUTH_MODE": "disabled",  # its clusters are reached from this machine alone
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}


@dataclass(slots=True)
class Cost:
    """What a run took."""

    wall: float = 0
    cpu: dict[int, float] = field(default_factory=dict)
    """Seconds by process."""
    roles: dict[int, str] = field(default_factory=dict)
    memory: dict[int, int] = field(default_factory=dict)
    """The most bytes of its own that a worker had."""
    history: list[tuple[float, float]] = field(default_factory=list)
    """Seconds of the workers and of all else, as time went on."""

    def seconds(self, *roles: str) -> float:
        """Return the CPU time of the processes of these roles, of all if none is given."""
        return sum(seconds for pid, seconds in self.cpu.items() if not roles or self.roles[pid] in roles)


def per_row(run: tuple[Cost, Cost, int], *roles: str) -> float:
    """Return the microseconds of CPU time a row, from what many rows took, what few took, and by how many rows they differ."""
    many, few, rows = run
    return (many.seconds(*roles) - few.seconds(*roles)) / rows * 1e6


def role(process: psutil.Process) -> str:
    """Return a process's part: a `worker` labels, the `driver` is one in a cluster, a `node` is all else."""
    command = " ".join(process.cmdline())
    if "pyspark.daemon" in command or "pyspark.worker" in command or command.startswith("ray::MapWorker"):
        return "worker"
    if "CoarseGrainedExecutorBackend" in command:
        return "executor"
    return "driver" if "label_with_" in command or "gcs_server" in command else "node"


def family(*roots: int) -> Iterator[psutil.Process]:
    """Yield the processes with these numbers, and all that they have started."""
    for root in roots:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(root)
            yield process
            yield from process.children(recursive=True)


def watch(command: Sequence[str | Path], *others: int, alone: bool = False) -> Cost:
    """Run a command until it ends, and return what it took, with processes that run already.

    Args:
        command: the program and its arguments.
        others: the numbers of processes that belong to it.
        alone: the program itself is the worker.

    Raises:
        RuntimeError: it fails.
    """
    cost, start = Cost(), time.monotonic()
    before = {process.pid: _cpu(process) for process in family(*others)}
    with tempfile.TemporaryFile("w+") as said:
        program = subprocess.Popen([*map(str, command)], env=ENVIRONMENT, stdout=said, stderr=subprocess.STDOUT)
        while program.poll() is None:
            for process in family(program.pid, *others):
                _look(process, cost, alone=alone)
            cost.history.append((cost.seconds("worker"), cost.seconds(*OTHERS)))
            time.sleep(_SECONDS)
        said.seek(0)
        if program.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{said.read()[-3000:]}")
    cost.wall = time.monotonic() - start
    for pid in cost.cpu.keys() & before.keys():
        cost.cpu[pid] -= before[pid]
    return cost


def _look(process: psutil.Process, cost: Cost, *, alone: bool) -> None:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        if cost.roles.get(process.pid) != "worker":  # it stays one at its end, when its command line is gone
            cost.roles[process.pid] = "worker" if alone else role(process)
        cost.cpu[process.pid] = _cpu(process)
        if cost.roles[process.pid] == "worker":
            cost.memory[process.pid] = max(cost.memory.get(process.pid, 0), process.memory_full_info().uss)


def _cpu(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0


@contextmanager
def ray_nodes(cpus: Sequence[int]) -> Iterator[list[subprocess.Popen[str]]]:
    """Start a cluster of Ray with nodes of so many CPUs, and yield their processes, the head first."""
    nodes: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory(prefix="ray") as temporary:
        try:
            for count in cpus:
                start = [str(BIN / "ray"), "start", f"--num-cpus={count}", "--block", "--node-ip-address=127.0.0.1"]
                where = [f"--address={ENVIRONMENT['RAY_ADDRESS']}"] if nodes else ["--head", "--port=0"]
                head = [] if nodes else [f"--temp-dir={temporary}", "--include-dashboard=false"]
                nodes.append(subprocess.Popen([*start, *where, *head], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True))
                ENVIRONMENT["RAY_ADDRESS"] = _address(nodes[-1]) if len(nodes) == 1 else ENVIRONMENT["RAY_ADDRESS"]
            time.sleep(5 * (len(cpus) > 1))  # until the head knows the others
            yield nodes
        finally:
            ENVIRONMENT.pop("RAY_ADDRESS", None)
            for process in family(*(node.pid for node in nodes)):
                with suppress(psutil.NoSuchProcess):
                    process.kill()  # asked to end, a node waits 30 seconds for what was killed on it
            for node in nodes:
                node.communicate()


def _address(head: subprocess.Popen[str]) -> str:
    for line in head.stdout or ():
        if "--address='" in line:
            return line.split("'")[1]
    raise RuntimeError("`ray start` gave no address")
