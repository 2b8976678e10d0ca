"""What a killed part does to a job: a worker, an executor, an actor, a node, and the driver, which is run again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tools.bulk.forms import RAY, ray_command, spark_command
from tools.bulk.processes import ENVIRONMENT, family, ray_nodes, role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentiment_edge_runtimes.vocabulary import EngineName

_WORKED = 1.5
"""Seconds of CPU time that a part has used when it is killed: it is in the middle of its work then."""
_CALM = 0.1
_GROUPS = ("--files", "2")


def kill_each(rows: Path, output: Path, bundle: Path | None, engine: EngineName) -> Iterator[tuple[str, str]]:
    """Yield each kill, and what the job did; its answers are in the folder `output` until the next."""
    spark = [*spark_command("spark, 2 executors", rows, output, bundle, engine), *_GROUPS]
    for name, kind in (("spark: a worker", "worker"), ("spark: an executor", "executor")):
        shutil.rmtree(output, ignore_errors=True)
        yield name, _run(spark, partial(_of_kind, kind=kind))
    shutil.rmtree(output, ignore_errors=True)
    yield "spark: an executor that writes", _run(spark, partial(_writing, output=output, kind="executor"))
    shutil.rmtree(output, ignore_errors=True)
    _run(spark, partial(_driver, others=[]))
    yield "spark: the driver, run again", _run(spark, None)
    ray = [*ray_command(rows, output, bundle, engine), *_GROUPS]
    with ray_nodes(RAY["ray, 2 nodes"]) as nodes:
        others = [node.pid for node in nodes]
        shutil.rmtree(output, ignore_errors=True)
        yield "ray: a worker", _run(ray, lambda started: _of_kind([*started, *others], "worker"))
        shutil.rmtree(output, ignore_errors=True)
        yield "ray: a task that writes", _run(ray, lambda _: _writing(others, output, "node"))
        shutil.rmtree(output, ignore_errors=True)
        _run(ray, partial(_driver, others=others))
        yield "ray: the driver, run again", _run(ray, None)
        shutil.rmtree(output, ignore_errors=True)
        yield "ray: a node", _run(ray, lambda _: [*family(*others[1:])] if _of_kind(others[1:], "worker") else [])


def _driver(started: list[int], others: list[int]) -> list[psutil.Process]:
    """Return the program that was started, when a worker is at work."""
    return [psutil.Process(started[0])] if _of_kind([*started, *others], "worker") else []


def _writing(roots: Sequence[int], output: Path, kind: str) -> list[psutil.Process]:
    """Return a process of this kind that writes: a task of Ray that does nothing else, or whoever has an output file open."""
    for process in family(*roots):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if role(process) == kind and (_only_writes(process) or _has_open(process, output)):
                return [*family(process.pid)]
    return []


def _only_writes(process: psutil.Process) -> bool:
    return " ".join(process.cmdline()).startswith("ray::Write")


def _has_open(process: psutil.Process, output: Path) -> bool:
    return any(output in Path(file.path).parents for file in process.open_files())


def _of_kind(roots: Sequence[int], kind: str) -> list[psutil.Process]:
    """Return a process of this kind that is at work, with all that it has started; none while none is."""
    for process in family(*roots):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            if role(process) == kind and times.user + times.system > _WORKED and process.cpu_percent(_CALM) > 0:
                return [*family(process.pid)]
    return []


def _run(command: Sequence[str | Path], find: Callable[[list[int]], list[psutil.Process]] | None) -> str:
    """Run a command, kill what is found once, and return how the command ended."""
    program = subprocess.Popen(
        [*map(str, command)], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    killed = 0
    while find is not None and not killed and program.poll() is None:
        victims = find([program.pid])
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
                killed += 1
        if program.pid in {victim.pid for victim in victims}:
            os.killpg(program.pid, signal.SIGKILL)
        time.sleep(_CALM)
    _, said = program.communicate()
    if program.returncode and find is not None and not killed:
        raise RuntimeError(f"{command[0]} failed before the kill:\n{said.decode()[-3000:]}")
    return f"{killed} killed, then status {program.returncode}" if find else f"status {program.returncode}"
