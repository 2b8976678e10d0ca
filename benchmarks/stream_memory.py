"""Peak memory and speed of `predict` over many lines against few: a stream must neither grow nor slow down.

python benchmarks/stream_memory.py --data ../shared/data/sst2/dev.tsv
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter
from typing import BinaryIO, NamedTuple

from measuring import describe_machine, print_table, read_sentences

_PEAK = (
    "import resource, sys; from sentiment_edge.cli import app\n"
    "try: app(['predict', *sys.argv[1:]])\n"
    "finally:\n"
    "    used = resource.getrusage(resource.RUSAGE_SELF)\n"
    "    print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)"
)


def main() -> None:
    """Stream, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="tab-separated file with a column `sentence`")
    parser.add_argument("--bundle", default="", help="folder of a bundle; by default the built-in one")
    parser.add_argument("--lines", type=int, nargs=2, default=[10_000, 1_000_000])
    arguments = parser.parse_args()
    block = "".join(sentence + "\n" for sentence, _ in read_sentences(arguments.data)).encode().splitlines(keepends=True)
    print(describe_machine("onnxruntime", "tokenizers"))
    bundle = [arguments.bundle] if arguments.bundle else []
    first, *runs = (_use(bundle, block, count) for count in (1, *arguments.lines))
    named = [(f"{count:,} lines", count, run) for count, run in zip(arguments.lines, runs, strict=True)]
    print_table("peak memory of predict", [(name, run.peak) for name, _, run in named], "MB")
    # The lines are the same, again and again, so that the ratio is that of tokens too; what one line takes is the start.
    print_table("speed after the start", [(name, count / (run.wall - first.wall)) for name, count, run in named], "lines/s")
    print_table("of CPU time", [(name, count / (run.cpu - first.cpu)) for name, count, run in named], "lines/s")


class _Use(NamedTuple):
    """What a process took: seconds, CPU seconds, megabytes."""

    wall: float
    cpu: float
    peak: float


def _use(bundle: list[str], block: list[bytes], count: int) -> _Use:
    command = [sys.executable, "-c", _PEAK, *bundle]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stdin
        threading.Thread(target=_feed, args=(process.stdin, block, count)).start()
        assert process.stderr
        begun = perf_counter()
        cpu, peak = process.stderr.read().split()[-2:]
        return _Use(perf_counter() - begun, float(cpu), int(peak) / 1024)


def _feed(stdin: BinaryIO, block: list[bytes], count: int) -> None:
    with stdin:
        stdin.writelines(b"".join(block[: count - start]) for start in range(0, count, len(block)))


if __name__ == "__main__":
    main()
