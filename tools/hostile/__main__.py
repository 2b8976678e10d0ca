"""Read damaged and crafted inputs by every reader, and print how each of them took it.

python -m tools.hostile [--inputs 20000] [--reader NAME]... [--seed 0] [--keep FOLDER] [--native]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from tools.hostile.catalog import ENTRIES
from tools.hostile.outcome import Tally, Task
from tools.hostile.supervisor import run, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.hostile.reader import Entry

SECONDS = 60
"""CPU time for one input."""
MEMORY = 4 * 2**30
"""Bytes of address space for the inputs."""


def read_all(entries: Sequence[Entry], inputs: int, *, seed: int = 0, jobs: int = 1, keep: str | None = None) -> list[Tally]:
    """Read inputs by these readers, each its share, and return the outcomes by reader."""
    tallies = {entry.name: Tally(entry) for entry in entries}
    counts = dict(zip(tallies, spread([entry.share for entry in entries], inputs), strict=True))
    run(tallies, counts, Task("", "", seed, 0, 0, SECONDS, MEMORY, keep), jobs)
    return list(tallies.values())


def table(tallies: Iterable[Tally]) -> str:
    """Return the outcomes as a table, with totals in the last line."""
    rows = [(tally.entry.name, tally.counts) for tally in tallies]
    total: Counter[str] = Counter()
    for _, counts in rows:
        total.update(counts)
    lines = [f"{'reader':<40}{'inputs':>8}{'succeeded':>11}{'refused':>9}{'failures':>10}"]
    for name, counts in (*rows, ("total", total)):
        lines.append(f"{name:<40}{counts.total():>8}{counts['succeeded']:>11}{counts['refused']:>9}{counts['failed']:>10}")
    return "\n".join(lines)


def failures(tallies: Iterable[Tally]) -> str:
    """Return each cause of failures once, with the number of the first input and the end of its traceback."""
    blocks = []
    for tally in tallies:
        causes = Counter(reply.problem for reply in tally.failures)
        for problem, count in causes.most_common():
            first = min((reply for reply in tally.failures if reply.problem == problem), key=lambda reply: reply.number)
            detail = first.detail.replace("\n", "\n    ")
            blocks.append(f"{tally.entry.name}: {problem}: {count} inputs, the first is {first.number}\n    {detail}")
    return "\n".join(blocks).encode("utf-8", "backslashreplace").decode()


def _arguments() -> argparse.Namespace:
    names = [entry.name for entry in ENTRIES]
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="inputs in all, the native readers' apart")
    parser.add_argument("--reader", action="append", choices=names, metavar="NAME", help=f"only this one: {'; '.join(names)}")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other inputs")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the inputs that failed")
    parser.add_argument("--native", action="store_true", help="try native libraries' own parsers too; they do not fail the run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many run at once (default: one per CPU)")
    return parser.parse_args()


def main() -> int:
    """Read all inputs and print the outcomes; return 1 if one failed."""
    options = _arguments()
    chosen = [entry for entry in ENTRIES if not options.reader or entry.name in options.reader]
    own = [entry for entry in chosen if entry.group != "native"]
    native = [entry for entry in chosen if entry.group == "native" and (options.native or options.reader)]
    started = time.perf_counter()
    shared = {"seed": options.seed, "jobs": options.jobs, "keep": options.keep}
    tallies = read_all(own, options.inputs, **shared) if own else []
    print(table(tallies))
    print(failures(tallies))
    if native:
        tried = read_all(native, sum(entry.share for entry in native), **shared)
        print("\nNative libraries, given model files that were made to pass the checksums:")
        print(table(tried))
        print(failures(tried))
    print(f"{time.perf_counter() - started:.0f} s, seed {options.seed}")
    return 1 if any(tally.failures for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
