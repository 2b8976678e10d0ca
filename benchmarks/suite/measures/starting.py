"""Measures of fresh processes: the first answer, and the peak memory after some lines more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from suite.measures.rounds import take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from suite.contestants.contestant import Contestant
    from suite.measures.rounds import Costs
    from suite.settings import Settings

_PROCESS = """
import json, sys
from importlib import import_module
from pathlib import Path
module, folder, threads, options, texts = json.load(sys.stdin)
model = import_module(f"suite.contestants.{module}").open_model(Path(folder), threads, *options)
label = next(iter(model.ways().values()))
label(["A short line."])
print("answered", flush=True)
for text in texts:
    label([text])
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""
"""The peak of this process alone; that of getrusage would begin with its parent's."""
_BENCHMARKS = Path(__file__).parents[2]


class Start(NamedTuple):
    """One process."""

    seconds: float
    """From the shell to the first answer."""
    peak_bytes: int


class StartCosts(NamedTuple):
    """All processes."""

    first_answer: Costs
    peak_memory: Costs


def measure_starts(folders: Mapping[Contestant, Path], texts: Sequence[str], rounds: int, settings: Settings) -> StartCosts:
    """Start each in turn, first once untimed to fill the system's cache of files and this project's own."""
    runs = {each.name: partial(_start, each, folder, texts, settings) for each, folder in folders.items()}
    take_turns(runs, 1)
    starts = take_turns(runs, rounds)
    lasting = {each.name for each in folders if not each.only_starts}
    return StartCosts(
        {name: [start.seconds for start in each] for name, each in starts.items()},
        {name: [start.peak_bytes for start in each] for name, each in starts.items() if name in lasting},
    )


def _start(contestant: Contestant, folder: Path, texts: Sequence[str], settings: Settings) -> Start:
    order = [contestant.module, str(folder), settings.threads, contestant.options, [*texts]]
    paths = os.pathsep.join(filter(None, (str(_BENCHMARKS), os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory() as empty:
        own = {"SENTIMENT_EDGE_CACHE": empty} if contestant.fresh_cache else {}
        command = [sys.executable, "-c", _PROCESS]
        start = time.perf_counter()
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths, **own},
        ) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(order).encode())
            process.stdin.close()
            answered = process.stdout.readline()
            seconds = time.perf_counter() - start
            peak = process.stdout.read()
        if not answered or process.returncode:
            raise RuntimeError(f"{contestant.name}: its process failed")
        return Start(seconds, 1024 * int(peak))
