"""Speed of a bundle's model before and after its memory is in large pages: CPU time at one thread, each engine in a process.

python benchmarks/large_pages.py BUNDLE
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from measuring import describe_machine

from sentiment_edge.runtimes import open_engine
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.machine.pages import Settling, make_large

if TYPE_CHECKING:
    from sentiment_edge_runtimes.engines.engine import Session
    from sentiment_edge_runtimes.vocabulary import EngineName

SHAPES = ((1, 8), (1, 16), (1, 32), (1, 128), (8, 128))
SECONDS, LEAST_RUNS = 2.0, 7


def main() -> None:
    """Time each engine of the bundle, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    arguments = parser.parse_args()
    print(describe_machine("onnxruntime", "openvino"), "1 thread", sep=", ")
    for engine in Bundle.open(arguments.bundle).manifest.engines:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            print(pool.submit(_measured, arguments.bundle, engine).result())


def _measured(root: Path, engine: EngineName) -> str:
    session, _ = open_engine(Bundle.open(root), engine, 1).sharing(1)
    session.__dict__["_settling"] = Settling(10**12)  # or it would make them large itself, meanwhile
    small = {shape: _times(session, *shape) for shape in SHAPES}
    memory = _memory()
    start = time.process_time()
    make_large()
    lines = [f"\n{engine}: made large in {time.process_time() - start:.2f} s; memory {memory} before, {_memory()} after"]
    for shape, before in small.items():
        after = _times(session, *shape)
        ratios = f"x{statistics.median(before) / statistics.median(after):.2f} (least x{min(before) / min(after):.2f})"
        lines.append(f"  {'x'.join(map(str, shape)):<8} {1000 * statistics.median(before):>9.2f} ms, large pages {ratios}")
    return "\n".join(lines)


def _times(session: Session, rows: int, length: int) -> list[float]:
    """Return the CPU time of each run, without the first few."""
    ids = np.random.default_rng((rows, length)).integers(999, 9999, (rows, length))
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < LEAST_RUNS:
        start = time.process_time()
        session(ids, np.ones_like(ids))
        times.append(time.process_time() - start)
    return times[2:]


def _memory() -> str:
    lines = Path("/proc/self/smaps_rollup").read_text("utf-8").splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) // 1000 for line in lines[1:]}
    return f"{sizes['Rss:']} MB, {sizes['AnonHugePages:']} of them in large pages"


if __name__ == "__main__":
    main()
