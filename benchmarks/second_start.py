"""A process that labels one line on each engine: the first start, with nothing cached, against the second.

python benchmarks/second_start.py BUNDLE
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measuring import describe_machine

from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.machine.cache import FOLDER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence


class Start(NamedTuple):
    """The cost of one process."""

    seconds: float
    cpu: float
    """Seconds of all its threads, which another process beside it changes less than `seconds`."""
    megabytes: float


def main() -> None:
    """Start again and again, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    print(describe_machine("onnxruntime", "openvino"))
    for engine in Bundle.open(arguments.bundle).manifest.engines:
        command = [sys.executable, "-m", "sentiment_edge", "predict", str(arguments.bundle), "--engine", engine]
        starts: tuple[list[Start], list[Start]] = ([], [])
        with tempfile.TemporaryDirectory() as scratch:
            _start(command, Path(scratch) / "cache")  # fills the file cache
            for _ in range(arguments.rounds):
                shutil.rmtree(Path(scratch) / "cache", ignore_errors=True)
                for each in starts:
                    each.append(_start(command, Path(scratch) / "cache"))
        print(f"\n{engine:<14}{'first':>10}{'second':>10}{'ratio':>8}{'ratio of the least':>20}")
        for field in Start._fields:
            first, second = ([getattr(each, field) for each in side] for side in starts)
            medians = statistics.median(first), statistics.median(second)
            ratios = f"{medians[1] / medians[0]:>8.2f}{min(second) / min(first):>20.2f}"
            print(f"  {field:<12}{medians[0]:>10.3f}{medians[1]:>10.3f}{ratios}")


def _start(command: Sequence[str], cache: Path) -> Start:
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=os.environ | {FOLDER_VARIABLE: str(cache)}
    )
    assert process.stdin is not None
    process.stdin.write(b"I loved it\n")
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return Start(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


if __name__ == "__main__":
    main()
