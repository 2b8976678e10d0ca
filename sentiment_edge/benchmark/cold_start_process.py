"""The program of a process that is measured: it makes one prediction, then prints its peak memory in bytes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from sentiment_edge_runtimes.classifier import load

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def main() -> None:
    """Read bundle, engine, threads and text from stdin, as JSON, and label the text."""
    bundle, engine, threads, text = json.load(sys.stdin)
    load(bundle, engine=engine, threads=threads)(text)
    json.dump(_peak_memory(), sys.stdout)


def _peak_memory() -> int | None:
    """Return the peak memory of this program alone: on Linux, getrusage would include its parent's before the start."""
    status = Path("/proc/self/status")
    if status.exists() and (found := _PEAK.search(status.read_text(encoding="utf-8", errors="replace"))):
        return 1024 * int(found[1])
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ModuleNotFoundError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


if __name__ == "__main__":
    main()
