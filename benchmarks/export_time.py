"""Time and memory of an export, by stage, and against another version of this project on the same machine.

    python benchmarks/export_time.py --model CHECKPOINT_FOLDER [--int8] [--engine onnxruntime --engine openvino]
        [--against FOLDER[:FOLDER...]]

Each version exports in a process of its own. `--against` has the form of PYTHONPATH: for a clone in CLONE it is
`CLONE:CLONE/export:CLONE/runtimes`. Wall seconds count what other processes take of the machine, CPU seconds do not.
`tools/random_checkpoint.py` makes checkpoints of published sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.progress import Progress
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE, ENGINES

_CHILD = "--child"
_MEGABYTE = 1024
"""In the unit in which Linux counts the largest resident memory."""


class Stage(NamedTuple):
    """A stage of an export, from its beginning to that of the next."""

    name: str
    wall: float
    cpu: float
    peak: float
    """Largest resident memory of the process so far, in MB."""


class Clock(Progress):
    """Notes the time at which each stage begins."""

    def __init__(self) -> None:
        self.begun = [("imports", 0.0, 0.0, 0.0)]

    def stage(self, name: str) -> None:
        """Note a stage that begins."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.begun.append((name, time.monotonic(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _MEGABYTE))

    def stages(self) -> list[Stage]:
        """Return the stages; the last one noted only ends the one before it."""
        pairs = zip(self.begun[1:], self.begun[2:], strict=False)
        return [Stage(name, end[1] - wall, end[2] - cpu, end[3]) for (name, wall, cpu, _), end in pairs]


def main() -> None:
    """Print the stages of an export; with `--against`, those of the other version too, and the ratio of the sums."""
    if sys.argv[1:2] == [_CHILD]:
        _export(json.loads(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a checkpoint's folder")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--max-length", type=int, help="a version that knows this option only")
    parser.add_argument("--against", metavar="PYTHONPATH", help="another version of this project")
    arguments = parser.parse_args()
    request = {
        "model": str(Path(arguments.model).resolve()),
        "precision": "int8" if arguments.int8 else "fp32",
        "engines": arguments.engine or [DEFAULT_ENGINE],
        "graph": {} if arguments.max_length is None else {"max_length": arguments.max_length},
    }
    print(f"{cpu_features().name}, {usable_cpus()} CPUs, {time.strftime('%Y-%m-%d')}")
    before = _show(f"against: {arguments.against}", request, arguments.against) if arguments.against else None
    after = _show("this version", request, None)
    if before is not None:
        print(f"ratio: {before.wall / after.wall:.2f} in wall time, {before.cpu / after.cpu:.2f} in CPU time")


def _show(title: str, request: dict[str, object], path: str | None) -> Stage:
    """Export in a process of its own; print its stages, and return their sum."""
    environment = {**os.environ, **({} if path is None else {"PYTHONPATH": path})}
    program = [sys.executable, __file__, _CHILD, json.dumps(request)]
    done = subprocess.run(program, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    stages = [Stage(*each) for each in json.loads(done.stdout.splitlines()[-1])]
    whole = Stage("whole export", sum(each.wall for each in stages), sum(each.cpu for each in stages), stages[-1].peak)
    print(f"\n{title}\n{'wall s':>8} {'CPU s':>8} {'peak MB':>8}  stage")
    for stage in (*stages, whole):
        print(f"{stage.wall:8.1f} {stage.cpu:8.1f} {stage.peak:8.0f}  {stage.name}", flush=True)
    return whole


def _export(request: dict[str, object]) -> None:
    """Export, and print the stages as JSON."""
    from sentiment_edge.export import GraphOptions, export_model  # noqa: PLC0415 - of the version that PYTHONPATH names

    graph = request.pop("graph")
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        export_model(**request, output=Path(folder) / "bundle", progress=clock, graph=GraphOptions(**graph))  # type: ignore[arg-type]
        clock.stage("end")
    print(json.dumps(clock.stages()))


if __name__ == "__main__":
    main()
