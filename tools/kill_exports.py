"""Kill `export --overwrite` at random moments: the old bundle or the new must be in place, whole, every time.

    python -m tools.kill_exports [--kills 50] [--seed 0]

Each export has other labels than the one before, so that the two can be told apart. In the end an export that is not
killed must leave nothing of the killed ones beside it.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from sentiment_edge_runtimes.bundle import Bundle

LABELS = (("no", "yes"), ("bad", "good"))


def main() -> int:
    """Run the kills, print how they ended; return 1 if one left no whole bundle, or anything beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="exports to kill (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default: 0)")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "bundle"
        started = time.monotonic()
        _export(output, LABELS[0]).wait()
        duration = time.monotonic() - started
        ends = Counter(_kill(output, moments.uniform(0, 1.2 * duration)) for _ in range(arguments.kills))
        _export(output, LABELS[0]).wait()
        left = sorted(path.name for path in Path(folder).iterdir() if path != output)
    for end, count in sorted(ends.items()):
        print(f"{count:>4}  {end}")
    print(f"left beside the bundle: {', '.join(left) or 'nothing'}")
    return 1 if left or any(end.startswith("broken") for end in ends) else 0


def _export(output: Path, labels: tuple[str, ...]) -> subprocess.Popen[bytes]:
    options = ["--model", "gru-mini", "--overwrite", "--output", str(output), "--labels", ",".join(labels)]
    command = [sys.executable, "-m", "sentiment_edge", "export", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _kill(output: Path, seconds: float) -> str:
    """Start an export that replaces the bundle, kill it after some seconds, and return in words what is there then."""
    before = Bundle.open(output).manifest.labels
    process = _export(output, LABELS[1] if before == LABELS[0] else LABELS[0])
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    status = process.wait()
    if status not in {0, -signal.SIGKILL}:
        return f"broken: the export ended with status {status}"
    killed = "killed" if status else "too late to kill"
    try:
        after = Bundle.open(output).manifest.labels
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what this looks for
        return f"broken: {error}"
    return f"{killed}, {'the old bundle' if after == before else 'the new bundle'}"


if __name__ == "__main__":
    sys.exit(main())
