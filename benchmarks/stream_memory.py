"""Peak memory of `predict` over many lines against few: a stream must not grow.

python benchmarks/stream_memory.py --data ../shared/data/sst2/dev.tsv
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from measuring import describe_machine, print_table, read_sentences

_PEAK = (
    "import resource, sys; from sentiment_edge.cli import app\n"
    "try: app(['predict', *sys.argv[1:]])\n"
    "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
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
    rows = [(f"{count:,} lines", _peak_megabytes(bundle, block, count)) for count in arguments.lines]
    print_table("peak memory of predict", rows, "MB")


def _peak_megabytes(bundle: list[str], block: list[bytes], count: int) -> float:
    command = [sys.executable, "-c", _PEAK, *bundle]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stdin
        threading.Thread(target=_feed, args=(process.stdin, block, count)).start()
        assert process.stderr
        return int(process.stderr.read().split()[-1]) / 1024


def _feed(stdin: BinaryIO, block: list[bytes], count: int) -> None:
    with stdin:
        stdin.writelines(b"".join(block[: count - start]) for start in range(0, count, len(block)))


if __name__ == "__main__":
    main()
