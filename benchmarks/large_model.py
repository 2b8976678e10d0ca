"""Time and memory of a large model: its whole export, and a process that loads the bundle and predicts.

python tools/random_checkpoint.py --shape electra-large --vocab VOCAB --output electra-large
python benchmarks/large_model.py --checkpoint electra-large
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import describe_machine

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = [sys.executable, "-m", "sentiment_edge"]
LINES = b"I loved every minute of it.\n" * 100 + (b"It was long. " * 200 + b"\n") * 20


def main() -> None:
    """Export, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    arguments = parser.parse_args()
    print(describe_machine("torch", "onnxruntime"))
    with tempfile.TemporaryDirectory() as scratch:
        bundle = Path(scratch) / "bundle"
        export = [*COMMAND, "export", "--model", str(arguments.checkpoint), "--int8", "--output", str(bundle)]
        print(f"export --int8, parity included: {_measured(export, Path(os.devnull))}")
        weights = sum(path.stat().st_size for path in (bundle / "onnx").iterdir()) / 1e6
        lines = Path(scratch) / "lines.txt"
        lines.write_bytes(LINES)
        print(f"weights of {weights:.0f} MB; 1.3 times that and 150 MB: {1.3 * weights + 150:.0f} MB")
        for name, content in (("one short line", LINES[:28]), ("120 lines, 20 of them longer than the model reads", LINES)):
            lines.write_bytes(content)
            print(f"predict, {name}: {_measured([*COMMAND, 'predict', str(bundle)], lines)}")


def _measured(command: Sequence[str], stdin: Path) -> str:
    """Run a process and tell its time and its peak memory."""
    start = time.perf_counter()
    with stdin.open("rb") as source:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return f"{time.perf_counter() - start:.1f} s, {usage.ru_maxrss / 1000:.0f} MB at its peak"


if __name__ == "__main__":
    main()
